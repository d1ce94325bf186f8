/** What the graph of dependencies answers. */
import { Type } from "@sinclair/typebox";
import { nullable, OPEN } from "../shared/answers.ts";

export const DependenciesAnswer = Type.Object(
  {
    bot_id: Type.String(),
    nodes: Type.Array(
      Type.Object(
        {
          dependency: Type.String(),
          kind: nullable(Type.String()),
          state: Type.Union(["MET", "MISSING"].map((word) => Type.Literal(word))),
          problem: nullable(Type.String()),
        },
        OPEN,
      ),
    ),
    edges: Type.Array(
      Type.Object(
        {
          from: Type.String(),
          to: Type.String(),
          declared: Type.Boolean({ description: "By the bot; else its specification names it anyway." }),
        },
        OPEN,
      ),
    ),
    needed_by: Type.Array(Type.String({ description: "Bot ids." })),
    circle: nullable(Type.Array(Type.String())),
    truncated: Type.Boolean(),
  },
  OPEN,
);
