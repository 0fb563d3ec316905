// A hub on a disk that is really full, and on one that is really read-only: a small tmpfs, which only root may mount.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JobError, Result } from "../../dist/flock/index.node.js";
import { Flock, until } from "../flock.js";

function whyNot(): string | undefined {
  const probe = mkdtempSync(join(tmpdir(), "flock-probe-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", probe], { stdio: "pipe" });
    execFileSync("umount", [probe]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.trim().replaceAll("\n", " ") : String(error);
  } finally {
    rmSync(probe, { recursive: true });
  }
}

const missing = whyNot();
if (missing !== undefined) process.stderr.write(`skipped: a hub on a full or read-only disk (${missing})\n`);

/** A tmpfs of 8 MB with a folder for the hub's data. */
function smallDisk(flock: Flock) {
  const mount = join(flock.folder, "disk");
  mkdirSync(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", mount]);
  // Lazily: a test that failed may have left a file open.
  flock.atEnd(() => void execFileSync("umount", ["--lazy", mount]));
  return {
    data: join(mount, "data"),
    /** As much as fits is written. */
    fill: () =>
      expect(() => writeFileSync(join(mount, "ballast"), new Uint8Array(9_000_000))).toThrow("ENOSPC"),
    free: () => unlinkSync(join(mount, "ballast")),
    remount: (how: "ro" | "rw") => execFileSync("mount", ["-o", `remount,${how}`, mount]),
  };
}

const codeOf = (promise: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(promise).then(
    () => "solved",
    (error: unknown) => (error as JobError).code,
  );

async function all(batch: AsyncIterable<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for await (const result of batch) results.push(result);
  return results;
}

describe.skipIf(missing !== undefined)("a hub whose disk is full", () => {
  it("refuses jobs with a clear error, keeps solutions at their nodes, and goes on when there is room", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const disk = smallDisk(flock);
    let hub = await flock.hub({ data: disk.data });
    const { port } = hub;
    const worker = await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    // Jobs with large solutions are acknowledged, and the disk fills up before the first is solved.
    const early = all(main.submit("grow", ["first 1500", "second 500", "third 10"]));
    await worker.runs("first");
    disk.fill();

    const refused = await main
      .request("upper", "x".repeat(200_000))
      .catch((error: unknown) => error as JobError);
    expect(refused).toMatchObject({ code: "storage_full" });
    expect((refused as JobError).message).toMatch(/disk|space|full/i);

    // The solution of the first can not be stored: it is not shown, and dispatch pauses.
    await hub.logged(/[Dd]ispatch pauses/);
    const { status } = await hub.get<{ status: string }>("/healthz");
    expect(status).toBe("storage_full");
    expect((await hub.jobs()).acknowledged).toBe(0);
    await worker.program.said(/^end second$/);
    expect(await codeOf(main.request("upper", "y".repeat(200_000)))).toBe("storage_full");
    expect(worker.began).toEqual(["first", "second"]);

    // Death of the hub now loses nothing either: the node still has the solutions.
    await hub.program.kill();
    disk.free();
    hub = await flock.hub({ data: disk.data, port });
    const results = await early;
    const names = results.map((result) => result.ok && result.text().split(" ")[0]);
    expect(names.sort()).toEqual(["FIRST", "SECOND", "THIRD"]);
    expect(worker.began).toEqual(["first", "second", "third"]);
    expect((await main.request("upper", "again")).text()).toBe("AGAIN");
  });

  it("goes on by itself once there is room", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const disk = smallDisk(flock);
    const hub = await flock.hub({ data: disk.data });
    const worker = await flock.worker(hub.url);
    const main = await flock.main(hub.url);
    const early = all(main.submit("grow", ["first 1500", "second 10"]));
    await worker.runs("first");
    disk.fill();
    await hub.logged(/[Dd]ispatch pauses/);
    disk.free();
    await hub.logged(/takes writes again/);
    expect((await early).every((result) => result.ok)).toBe(true);
    expect(worker.began).toEqual(["first", "second"]);
    expect((await hub.get<{ status: string }>("/healthz")).status).toBe("ok");
  });
});

describe.skipIf(missing !== undefined)("a hub whose disk becomes read-only", () => {
  it("refuses jobs, loses none it had acknowledged, and works again when it is writable", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const disk = smallDisk(flock);
    let hub = await flock.hub({ data: disk.data });
    const { port } = hub;
    const main = await flock.main(hub.url);
    const early = main.request("upper", "early");
    await until(
      "the job",
      () => hub.jobs(),
      (now) => now.submitted === 1,
    );
    // With its files open for writing the kernel refuses the remount, as it would for any disk: so without the hub.
    await hub.program.kill();
    disk.remount("ro");
    const broken = flock.command("up", "--port", String(port), "--data", disk.data, "--log-level", "silent");
    expect(await broken.ended).toBe(1);
    expect(broken.err).toHaveLength(1);
    expect(broken.err[0]).toMatch(/read-only|written|write/i);
    expect(broken.err[0]).toContain(disk.data);
    disk.remount("rw");
    hub = await flock.hub({ data: disk.data, port });
    await flock.worker(hub.url);
    expect((await early).text()).toBe("EARLY");
    expect((await main.request("upper", "late")).text()).toBe("LATE");
  });
});
