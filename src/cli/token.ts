// flockwork token: who may come in. Edits the token file of a hub on this machine; a running hub notices within a second.
import { join } from "node:path";
import type { Command } from "commander";
import { defaultDataDir } from "../flock/index.node.js";
import { TOKEN_FILE, TokenStore } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { formatToken, TOKEN_ROLES, type TokenRole } from "../wire/index.js";
import { choice } from "./arguments.js";
import { bold, dim, say, table } from "./screen.js";

interface TokenFlags {
  readonly data?: string;
  readonly role: TokenRole;
  readonly owner: string;
  readonly domain?: string;
}

export function addToken(program: Command): void {
  const token = program
    .command("token")
    .description("Make, list and revoke the tokens of a hub on this machine.");
  const data = [
    "--data <folder>",
    "the hub's data folder (default: your data folder, or FLOCKWORK_DATA)",
  ] as const;
  token
    .command("create")
    .description("Make a token and print it.")
    .option(
      "--role <role>",
      `what its bearer may be: ${TOKEN_ROLES.join(", ")}`,
      choice("--role", TOKEN_ROLES),
      "compute",
    )
    .option("--owner <name>", "whose it is; sessions of two owners never mix", "owner")
    .option("--domain <name>", "only good in this domain")
    .option(...data)
    .action((flags: TokenFlags) => {
      const record = open(flags).create(flags.role, flags.owner, flags.domain);
      say(formatToken(record));
    });
  token
    .command("list")
    .description("List the tokens, without their secrets.")
    .option(...data)
    .action((flags: TokenFlags) => {
      const records = open(flags).list();
      if (records.length === 0)
        say(
          dim('There are no tokens. "flockwork up --host ..." makes some; so does "flockwork token create".'),
        );
      else
        for (const line of table([
          ["ID", "ROLE", "OWNER", "DOMAIN", "CREATED"],
          ...records.map((r) => [
            r.id,
            r.role,
            r.owner,
            r.domain ?? "any",
            r.created.slice(0, 19).replace("T", " "),
          ]),
        ]))
          say(line);
    });
  token
    .command("revoke")
    .description("Take a token away; whoever is connected with it is cut off.")
    .argument("<id>", "the token's id, the twelve digits after fw_")
    .option(...data)
    .action((id: string, flags: TokenFlags) => {
      const key = /^(?:fw_)?([0-9a-f]{12})/.exec(id)?.[1] ?? id;
      if (!open(flags).revoke(key))
        throw new FlockworkError("bad_argument", `There is no token ${key}; see "flockwork token list".`);
      say(`Token ${bold(key)} is revoked.`);
    });
}

function open({ data }: TokenFlags): TokenStore {
  return new TokenStore(join(data ?? defaultDataDir(), TOKEN_FILE));
}
