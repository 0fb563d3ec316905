// The report stands alone, and shows what the run did.
import { describe, expect, it } from "vitest";
import { Simulation, report, scenario, write } from "./index.js";

describe("a report", () => {
  const script = write(scenario("unfair", { nodes: 10, tasks: 404 }), 3);

  it("draws every run, every client and the latencies, and loads nothing", () => {
    const { outcome, html } = report(script);
    expect(html.match(/<title>task /g)).toHaveLength(outcome.solved);
    expect(html).toContain("client 1");
    expect(html).toContain(outcome.digest);
    expect(html).not.toMatch(/(src|href)=|https?:|@import|<script|NaN|undefined/);
  });

  it("changes nothing about the run", () => {
    expect(report(script).outcome.digest).toBe(new Simulation(script).run().digest);
  });

  it("cannot be broken out of by a scenario's name", () => {
    const named = write(scenario("calm", { name: `</title><script>x</script>`, nodes: 2, tasks: 4 }), 1);
    expect(report(named).html).not.toContain("<script>");
  });
});
