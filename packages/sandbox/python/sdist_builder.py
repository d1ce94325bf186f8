"""Builds a wheel from an sdist inside a jail: no network, no other process, nothing writable but the jail's own /tmp.

The backend that the project names is called in this process; it has to lie in the project itself or be installed beside Python.
Called as a handler (packages/platform/src/pip/install.ts): build(context, {"sdist": file beside this one}).
"""
import base64
import importlib
import os
import site
import sys
import tarfile
import tempfile


def unpacked(path, into):
    """The project's folder; plain files and folders below one top folder only."""
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            parts = member.name.split("/")
            if member.name.startswith("/") or ".." in parts:
                raise ValueError("%s leads outside of the sdist" % member.name)
            if member.isdir():
                continue
            if not member.isreg():
                raise ValueError("%s is no plain file" % member.name)
            target = os.path.join(into, *parts)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as out:
                out.write(archive.extractfile(member).read())
    tops = os.listdir(into)
    if len(tops) != 1:
        raise ValueError("an sdist has one top folder; this one has %d" % len(tops))
    return os.path.join(into, tops[0])


def backend_of(project):
    settings = {}
    path = os.path.join(project, "pyproject.toml")
    if os.path.exists(path):
        import tomllib

        with open(path, "rb") as source:
            settings = tomllib.load(source).get("build-system", {})
    for folder in settings.get("backend-path", []):
        inside = os.path.realpath(os.path.join(project, folder))
        if inside != project and not inside.startswith(project + os.sep):
            raise ValueError("backend-path leads outside of the project")
        sys.path.insert(0, inside)
    name, _, attribute = settings.get("build-backend", "setuptools.build_meta:__legacy__").partition(":")
    backend = importlib.import_module(name)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    return backend


def build(context, args):
    sys.path.extend(site.getsitepackages() + ["/usr/lib/python3/dist-packages"])
    here = os.path.dirname(os.path.abspath(__file__))
    folder = os.path.realpath(tempfile.mkdtemp(dir="/tmp"))
    os.mkdir(os.path.join(folder, "source"))
    out = os.path.join(folder, "out")
    os.mkdir(out)
    project = unpacked(os.path.join(here, args["sdist"]), os.path.join(folder, "source"))
    os.chdir(project)
    file = backend_of(project).build_wheel(out)
    with open(os.path.join(out, os.path.basename(file)), "rb") as wheel:
        return {"file": os.path.basename(file), "data": base64.b64encode(wheel.read()).decode("ascii")}
