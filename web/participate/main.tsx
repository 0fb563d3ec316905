// The participate page: what this hub is, one button, what this tab does, and what it may use.
import { render } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Token } from "../../src/wire/token.js";
import { keepToken, takeToken } from "../hub/token.js";
import { Chart } from "../parts/chart.js";
import { Mark } from "../parts/mark.js";
import { choicesLast } from "../hub/memory.js";
import { count } from "../parts/numbers.js";
import { restoreTheme, ThemeSwitch } from "../parts/theme.js";
import { Birds } from "./birds.js";
import { Participation, TELLS_BATTERY, type Now } from "./participation.js";
import { Rates } from "./rates.js";
import { CORES } from "./settings.js";
import { inWords } from "./words.js";

restoreTheme();
let token: Token | undefined;
let badLink = "";
try {
  token = takeToken();
} catch (error) {
  badLink = (error as Error).message;
}
const part = new Participation(() => token);
const rates = new Rates(() => part.now.answered);

function Page() {
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  useEffect(() => part.watch(() => redraw(0)), []);
  const { now } = part;
  return (
    <>
      <header class="bar">
        <a class="brand" href="/">
          <Mark /> Flockwork
        </a>
        <a class="button" href="/dashboard">
          Dashboard
        </a>
        <ThemeSwitch />
      </header>
      <main class="participate">
        <Hero now={now} />
        <div class="halves">
          {now.phase === "refused" && <WayIn />}
          <Work now={now} />
          {now.happened.length > 1 && <Before now={now} />}
          <Device now={now} />
          <Share now={now} />
          <WhatRuns />
          <Privacy />
          {!isSecureContext && <Plain />}
        </div>
        <p class="foot">
          Hub at <code>{location.host}</code>. This page comes from it and talks to nobody else.
        </p>
      </main>
    </>
  );
}

const DOTS: { readonly [phase in Now["phase"]]: string } = {
  idle: "",
  joining: "wait",
  on: "on",
  waiting: "wait",
  leaving: "wait",
  refused: "bad",
};

/** What is the case, in one sentence. */
function sentence({ phase, held, reason, id, answered, share, cardLost }: Now): string {
  switch (phase) {
    case "idle":
      return answered > 0
        ? "Stopped. What this tab had begun was finished or given back."
        : "This tab does not take part yet.";
    case "joining":
      return "Measuring this device and joining.";
    case "on":
      if (held === "hidden") return "Holding still while this tab is hidden.";
      if (held === "battery") return "Holding still while this device runs on its battery.";
      if (cardLost !== "")
        return `Taking part as ${id}, with the processor: the graphics card does not compute any more (${cardLost}).`;
      return `Taking part as ${id}${share.tabs > 1 ? `, one of ${share.tabs} tabs of this device` : ""}.`;
    case "waiting":
      return `Waiting for the hub (${reason}). This tab goes on by itself when it is back.`;
    case "leaving":
      return "Finishing what has begun.";
    case "refused":
      return reason;
    default:
      return phase satisfies never;
  }
}

function Hero({ now }: { readonly now: Now }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const birds = useRef<Birds>(null);
  const seen = useRef(now.answered);
  useEffect(() => {
    if (canvas.current === null) return undefined;
    const made = new Birds(canvas.current);
    birds.current = made;
    return () => made.end();
  }, []);
  useEffect(() => {
    if (birds.current === null) return;
    birds.current.lively = now.phase === "on" && now.held === undefined ? 1 : 0.35;
    if (now.answered > seen.current) birds.current.flutter(now.answered - seen.current);
    seen.current = now.answered;
  }, [now]);
  const off = now.phase === "idle" || now.phase === "refused";
  return (
    <section class="hero">
      <canvas ref={canvas} aria-hidden="true" />
      <h1>Lend this device to the flock.</h1>
      <p class="lead">
        This hub turns the browsers, laptops and servers of people who join it into one machine for machine
        learning. One press, and this tab computes along. Close it, and nothing stays behind.
      </p>
      <div class="press">
        <button
          type="button"
          class={off ? "main" : "main on"}
          onClick={() => (off ? part.start() : part.stop())}
          disabled={now.phase === "leaving"}
        >
          {off ? "Participate" : "Stop"}
        </button>
      </div>
      <p class="status" role="status" data-phase={now.phase}>
        <span class={`dot ${DOTS[now.phase]}`} aria-hidden="true" />
        <span>{sentence(now)}</span>
      </p>
      {now.happened[0] !== undefined && (
        <p class="happened soft small" role="status">
          <Time at={now.happened[0].at} /> {now.happened[0].text}
        </p>
      )}
      {badLink !== "" && <p class="note bad">{badLink}</p>}
    </section>
  );
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function Time({ at }: { readonly at: number }) {
  return <time dateTime={new Date(at).toISOString()}>{clock.format(at)}</time>;
}

/** What happened earlier. */
function Before({ now }: { readonly now: Now }) {
  return (
    <section class="card wide">
      <h2>What happened before</h2>
      <ol class="before">
        {now.happened.slice(1).map(({ at, text }) => (
          <li key={at}>
            <Time at={at} /> {text}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A link with a token, for those whom the hub did not let in. */
function WayIn() {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  return (
    <section class="card wide">
      <h2>Have you got a link?</h2>
      <p>
        This hub asks for a link with a token in it. Whoever runs it has one for computing nodes: it was
        printed by <code>flockwork up</code>. Scan it, or paste it here.
      </p>
      <form
        class="paste"
        onSubmit={(event) => {
          event.preventDefault();
          try {
            token = keepToken(text);
            setWrong("");
            part.start();
          } catch (error) {
            setWrong((error as Error).message);
          }
        }}
      >
        <input
          type="text"
          aria-label="Link or token"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit">Join with it</button>
      </form>
      {wrong !== "" && <p role="alert">{wrong}</p>}
    </section>
  );
}

function Work({ now }: { readonly now: Now }) {
  const [data, setData] = useState(rates.data());
  useEffect(() => rates.watch(() => setData(rates.data())), []);
  const rate = rates.latest;
  return (
    <section class="card wide">
      <div class="head">
        <h2>What this tab computes</h2>
        <span class="soft small">
          {now.running > 0 || rate > 0 ? `now: ${now.doing}` : now.phase === "on" ? "waiting for work" : ""}
        </span>
      </div>
      <dl class="figures">
        <div class="figure">
          <dt>tasks computed in this tab</dt>
          <dd data-figure="answered">{count(now.answered)}</dd>
        </div>
        <div class="figure">
          <dt>a second, now</dt>
          <dd>{rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}</dd>
        </div>
        <div class="figure">
          <dt>at the same time, at most</dt>
          <dd data-figure="slots">{now.share.slots}</dd>
        </div>
      </dl>
      <Chart
        label={`Tasks a second over the last two minutes; now ${rate.toFixed(1)}.`}
        lines={[{ label: "tasks a second", colour: "accent", filled: true }]}
        data={data}
        format={(value) => count(value)}
        height={130}
      />
    </section>
  );
}

function Device({ now: { figures, provider, card, noEngine } }: { readonly now: Now }) {
  return (
    <section class="card">
      <h2>What this device is good at</h2>
      <p>
        {figures === undefined
          ? "That is measured for a moment when you press Participate, so that the hub gives this device what suits it."
          : inWords(figures.figures, provider === "webgpu" ? card?.words : undefined)}
      </p>
      {noEngine !== "" && <p class="soft">It computes no graphs in this browser: {noEngine}</p>}
    </section>
  );
}

const CHOICES_LAST = choicesLast();

function Share({ now: { settings, share: mine, card } }: { readonly now: Now }) {
  const share = `${settings.slots} of ${CORES} ${CORES === 1 ? "core" : "cores"}`;
  return (
    <section class="card">
      <h2>How much it may use</h2>
      <label>
        <span>
          Tasks at the same time: <strong>{share}</strong>
        </span>
        <input
          type="range"
          min={1}
          max={CORES}
          value={settings.slots}
          disabled={CORES === 1}
          aria-valuetext={share}
          onChange={({ currentTarget }) => part.change({ slots: Number(currentTarget.value) })}
        />
      </label>
      {mine.tabs > 1 && (
        <p>
          {mine.tabs} tabs of this device share that: {mine.slots} here.
        </p>
      )}
      {!CHOICES_LAST && (
        <p class="soft">
          This browser keeps nothing for this page, so what you choose here holds until you close it.
        </p>
      )}
      {card !== undefined && (
        <label class="check">
          <input
            type="checkbox"
            checked={settings.graphics ?? !card.software}
            onChange={({ currentTarget }) => part.change({ graphics: currentTarget.checked })}
          />
          <span>
            Compute on the graphics card <span class="soft">({card.words}; one task at a time)</span>
          </span>
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={settings.pauseHidden}
          onChange={({ currentTarget }) => part.change({ pauseHidden: currentTarget.checked })}
        />
        <span>Hold still while this tab is hidden</span>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={settings.pauseBattery && TELLS_BATTERY}
          disabled={!TELLS_BATTERY}
          onChange={({ currentTarget }) => part.change({ pauseBattery: currentTarget.checked })}
        />
        <span>
          Hold still on battery
          {!TELLS_BATTERY && <span class="soft"> (this browser does not tell this page about it)</span>}
        </span>
      </label>
    </section>
  );
}

function WhatRuns() {
  return (
    <section class="card">
      <h2>What runs here</h2>
      <p>
        Mathematics only. Others send numbers and a description of what to compute with them (a graph of
        operations such as multiplying matrices); what can compute it came with this page. No code of others
        is ever run, and a task that takes too long is stopped.
      </p>
    </section>
  );
}

function Privacy() {
  return (
    <section class="card">
      <h2>What others learn</h2>
      <ul>
        <li>The hub sees this device's network address, browser and speed, and what it computed.</li>
        <li>Nothing of yours is read: no files, no camera, no place, no other tabs.</li>
        <li>
          Only the results that were asked for leave this tab. There are no cookies and no third parties.
        </li>
      </ul>
    </section>
  );
}

/** An insecure page: what https would add. */
function Plain() {
  return (
    <section class="card">
      <h2>This page came over plain http</h2>
      <p>
        It works, on the processor. Whoever is on the way could read or alter what passes. Over https this tab
        could also compute on the graphics card, tell when the device runs on its battery, and be installed as
        an app.
      </p>
    </section>
  );
}

render(<Page />, document.getElementById("app")!);
