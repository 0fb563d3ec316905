import { builtinModules } from "node:module";
import tseslint from "typescript-eslint";
import { browserFloors, floors } from "./floors.config.js";

const builtins = builtinModules.filter((m) => !m.startsWith("_")).flatMap((m) => [m, `node:${m}`]);

/** One rule per floor: every arrow that the table does not name is refused. */
function arrows(floor, withBuiltins) {
  const refused = Object.keys(floors).filter((f) => f !== floor && !floors[floor].includes(f));
  const patterns = [
    {
      regex: `^(\\.\\./)+(${[...refused, "nothing"].join("|")})(/|$)`,
      message: `src/${floor} may import only: ${floors[floor].join(", ") || "nothing"} (see floors.config.js).`,
    },
  ];
  const paths = withBuiltins
    ? []
    : builtins.map((name) => ({
        name,
        message: `Browsers load src/${floor}; put this in a file named *.node.ts.`,
      }));
  return ["error", { patterns, paths }];
}

export default tseslint.config(
  { ignores: ["dist", "node_modules", "coverage"] },
  ...tseslint.configs.strict,
  {
    rules: {
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "@typescript-eslint/unified-signatures": "off",
      "@typescript-eslint/no-extraneous-class": "off",
      "no-console": "error",
      eqeqeq: "error",
    },
  },
  {
    files: ["bench/**", "tools/**", "examples/**", "test/fuzz/main.ts", "src/cli/**"],
    rules: { "no-console": "off" },
  },
  {
    files: ["web/**"],
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              regex: "^(\\.\\./)+src/(?!(ids|tensor|wire|engine|node|flock|hub)/)",
              message: "Pages may import of src/ only: ids, tensor, wire, engine, node, flock.",
            },
            {
              regex: "^(\\.\\./)+src/hub/",
              allowTypeImports: true,
              message: "Of the hub, pages may import types only: what it tells them.",
            },
          ],
        },
      ],
    },
  },
  ...Object.keys(floors).flatMap((floor) => {
    const browser = browserFloors.includes(floor);
    return [
      { files: [`src/${floor}/**/*.ts`], rules: { "no-restricted-imports": arrows(floor, !browser) } },
      {
        files: [`src/${floor}/**/*.{node,test}.ts`],
        rules: { "no-restricted-imports": arrows(floor, true) },
      },
    ];
  }),
);
