// The hub's tokens: a file of its own (mode 0600) in the data directory, which `flockwork token` edits while the hub runs.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FlockworkError } from "../ids/index.js";
import { formatToken, makeToken, parseToken, type Token, type TokenRole } from "../wire/index.js";

export interface TokenRecord extends Token {
  readonly role: TokenRole;
  /** Whose it is: sessions of two owners are never the same, and replicas run at different owners. */
  readonly owner: string;
  /** Only good in this domain; absent: in every one. */
  readonly domain?: string;
  /** ISO 8601. */
  readonly created: string;
}

/** As it lies in the file: the secret within the token's text form. */
interface StoredToken extends Omit<TokenRecord, "id" | "secret"> {
  readonly token: string;
}

export const TOKEN_FILE = "tokens.json";

export class TokenStore {
  readonly #file: string | undefined;
  #records = new Map<string, TokenRecord>();
  #readAt = 0;

  /** `file` undefined: in memory, gone with the hub. Throws `bad_argument` when the file is not what this class wrote. */
  constructor(file: string | undefined) {
    this.#file = file;
    this.refresh();
  }

  get size(): number {
    return this.#records.size;
  }

  list(): TokenRecord[] {
    return [...this.#records.values()];
  }

  find(id: string): TokenRecord | undefined {
    return this.#records.get(id);
  }

  create(role: TokenRole, owner: string, domain?: string): TokenRecord {
    const record = {
      ...makeToken(),
      role,
      owner,
      ...(domain !== undefined && { domain }),
      created: new Date().toISOString(),
    };
    this.#records.set(record.id, record);
    this.#write();
    return record;
  }

  /** Takes a token away; whether there was one. */
  revoke(id: string): boolean {
    const known = this.#records.delete(id);
    if (known) this.#write();
    return known;
  }

  /**
   * Reads the file again if somebody changed it; a file that is gone holds no tokens. Returns whether there was a change.
   * Throws `bad_argument`, once a change, when the file is not a list of tokens; those known before then stay.
   */
  refresh(): boolean {
    if (this.#file === undefined) return false;
    const mtimeMs = statSync(this.#file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (mtimeMs === this.#readAt) return false;
    this.#readAt = mtimeMs;
    const records = mtimeMs === 0 ? [] : readTokens(this.#file);
    this.#records = new Map(records.map((record) => [record.id, record]));
    return true;
  }

  #write(): void {
    if (this.#file === undefined) return;
    const stored = this.list().map(({ id, secret, ...rest }): StoredToken => ({
      token: formatToken({ id, secret }),
      ...rest,
    }));
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    const temp = `${this.#file}.${process.pid}`;
    writeFileSync(temp, `${JSON.stringify(stored, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(temp, this.#file);
    this.#readAt = statSync(this.#file).mtimeMs;
  }
}

function readTokens(file: string): TokenRecord[] {
  try {
    const stored = JSON.parse(readFileSync(file, "utf8")) as StoredToken[];
    return stored.map(({ token, ...rest }) => ({ ...parseToken(token), ...rest }));
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `${file} is not a list of tokens (${error instanceof Error ? error.message : String(error)}). Restore it, or delete it to start with new tokens.`,
    );
  }
}
