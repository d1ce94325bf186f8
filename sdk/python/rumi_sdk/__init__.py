"""Write Rumi strategies in Python; docs/strategy-python.md is the guide. Standard library only, Python 3.9 or newer."""
from ._context import Context, Random, Refusal, RiskContext
from ._generated import *  # noqa: F401,F403 - the ABI's constants and frames
from ._strategy import Strategy, parse_decimal
