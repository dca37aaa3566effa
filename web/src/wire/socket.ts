import type { ClientFrame, ServerFrame, StreamEvent } from "./contract";
import { readFrame } from "./contract";
import type { Outbox, Outgoing } from "./outbox";

/**
 * - `connecting`: being set up, or waiting for the desk's greeting
 * - `open`: frames go both ways
 * - `waiting`: lost, the next try is planned
 * - `offline`: as `waiting`, and the browser says there is no network
 * - `stopped`: closed by the page, or refused for good
 */
export type Connection = "connecting" | "open" | "waiting" | "offline" | "stopped";

/** The query parameters that carry a last seen number. */
export type Cursor = "after" | "own";

export interface SocketHandlers {
  /** Every event once, in the order of its stream. */
  event?(stream: string, seq: number, event: StreamEvent): void;
  /** Everything else but acknowledgements, refusals and heartbeats. */
  frame?(frame: ServerFrame): void;
  connection?(state: Connection): void;
  /** The desk's numbering began anew: what is shown of the stream is void. */
  reset?(cursor: Cursor): void;
}

export interface SocketOptions {
  /** Path on this host, without query, such as `/ws/room/lobby`. */
  path: string;
  /** The last seen numbers that the path takes. */
  cursors: readonly Cursor[];
  handlers: SocketHandlers;
  /** What this page says; absent for a page that only listens. */
  outbox?: Outbox;
  /** False where several streams share one cursor, so that a jump in numbers means nothing. */
  gapless?: boolean;
  /**
   * Called before a new try when the last one never got as far as the greeting: the session may
   * have ended. False stops for good; a throw counts as one more failed try.
   */
  revive?: () => Promise<boolean>;
  /** Between 0 and 1; given by tests. */
  random?: () => number;
}

const BACKOFF_FLOOR_MS = 500;
const BACKOFF_CEILING_MS = 15_000;
const HEARTBEAT_MS = 20_000;
const PONG_WITHIN_MS = 8_000;
const GREETING_WITHIN_MS = 10_000;
/** A connection that lived this long was a good one: the back-off begins anew. */
const SETTLED_MS = 5_000;
/** A message without an answer for this long is sent again under its id. */
const ACK_WITHIN_MS = 15_000;

/**
 * The wait before try number `failures` (counted from 0), in milliseconds: exponential with
 * full jitter above a floor, so that a desk that restarts is not met by everybody at once.
 */
export function backoff(failures: number, random: number): number {
  const reach = Math.min(BACKOFF_CEILING_MS, 1_000 * 2 ** Math.min(failures, 10));
  return BACKOFF_FLOOR_MS + random * (reach - BACKOFF_FLOOR_MS);
}

/**
 * A connection to the desk that survives: it comes back by itself, asks for what was missed,
 * shows every event once and in order, and sends what was not acknowledged again.
 */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private state: Connection = "stopped";
  private failures = 0;
  private openedAt = 0;
  private welcomed = false;
  private reviveFirst = false;
  /** Grows with every connection, so that late callbacks of an old one are known. */
  private generation = 0;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private beatTimer: ReturnType<typeof setInterval> | null = null;
  private answerTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly seen = new Map<Cursor, number>();
  /** The last seen number at which a jump was met; met again, the numbers between do not exist. */
  private readonly holes = new Map<Cursor, number>();
  private readonly transmitted = new Map<string, number>();

  constructor(private readonly options: SocketOptions) {
    for (const cursor of options.cursors) this.seen.set(cursor, 0);
  }

  get connection(): Connection {
    return this.state;
  }

  start(): void {
    if (this.state !== "stopped") return;
    window.addEventListener("online", this.wake);
    window.addEventListener("offline", this.lose);
    document.addEventListener("visibilitychange", this.look);
    this.failures = 0;
    this.connect();
  }

  stop(): void {
    window.removeEventListener("online", this.wake);
    window.removeEventListener("offline", this.lose);
    document.removeEventListener("visibilitychange", this.look);
    this.hangUp();
    this.enter("stopped");
  }

  /** Says something now, or as soon as there is a connection. */
  say(text: string, button?: string): Outgoing {
    const outbox = this.options.outbox;
    if (!outbox) throw new Error("this socket only listens");
    const item = outbox.add(text, new Date().toISOString(), button);
    this.transmit(item);
    return item;
  }

  /** Sends a refused message again under the id that it had. */
  retry(id: string): void {
    const item = this.options.outbox?.again(id);
    if (item) this.transmit(item);
  }

  /** Sends a frame that may be lost, such as a typing sign. Returns whether it went out. */
  send(frame: ClientFrame): boolean {
    if (this.state !== "open" || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  // Connecting -------------------------------------------------------------------------------

  private connect(): void {
    this.hangUp();
    const generation = this.generation;
    this.enter("connecting");
    if (!this.reviveFirst || !this.options.revive) {
      this.dial(generation);
      return;
    }
    this.options.revive().then(
      (alive) => {
        if (generation !== this.generation) return;
        if (alive) this.dial(generation);
        else this.stop();
      },
      // Whatever made the check fail, the cure is the same: try again later.
      () => {
        if (generation === this.generation) this.lost();
      },
    );
  }

  private dial(generation: number): void {
    const query = this.options.cursors.map((name) => `${name}=${this.seen.get(name) ?? 0}`);
    const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
    const url = `${scheme}//${window.location.host}${this.options.path}?${query.join("&")}`;
    const socket = new WebSocket(url);
    const current = (): boolean => generation === this.generation;
    this.socket = socket;
    this.welcomed = false;
    this.awaitAnswer(GREETING_WITHIN_MS);
    socket.onmessage = (message) => {
      if (current()) this.receive(readFrame(message.data));
    };
    socket.onclose = () => {
      if (current()) this.lost();
    };
  }

  private greet(): void {
    this.welcomed = true;
    this.reviveFirst = false;
    this.openedAt = Date.now();
    this.answered();
    this.beatTimer = setInterval(this.beat, HEARTBEAT_MS);
    this.transmitted.clear();
    this.enter("open");
    for (const item of this.options.outbox?.unsent() ?? []) this.transmit(item);
  }

  private lost(): void {
    if (this.welcomed && Date.now() - this.openedAt >= SETTLED_MS) this.failures = 0;
    if (!this.welcomed) this.reviveFirst = true;
    this.hangUp();
    this.retryTimer = setTimeout(
      () => this.connect(),
      backoff(this.failures, (this.options.random ?? Math.random)()),
    );
    this.failures += 1;
    this.enter(navigator.onLine === false ? "offline" : "waiting");
  }

  /** Lets go of the present connection and of every timer. */
  private hangUp(): void {
    this.generation += 1;
    if (this.retryTimer) clearTimeout(this.retryTimer);
    if (this.beatTimer) clearInterval(this.beatTimer);
    this.retryTimer = null;
    this.beatTimer = null;
    this.answered();
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private enter(state: Connection): void {
    if (this.state === state) return;
    this.state = state;
    this.options.handlers.connection?.(state);
  }

  private readonly wake = (): void => {
    if (this.state === "waiting" || this.state === "offline") this.connect();
  };

  private readonly lose = (): void => {
    if (this.state === "open" || this.state === "connecting") this.lost();
    else if (this.state === "waiting") this.enter("offline");
  };

  private readonly look = (): void => {
    if (document.visibilityState !== "visible") return;
    // A phone that slept often holds a connection that is dead and does not know it.
    if (this.state === "open") this.beat();
    else this.wake();
  };

  // Heartbeat --------------------------------------------------------------------------------

  private readonly beat = (): void => {
    this.send({ type: "ping" });
    this.awaitAnswer(PONG_WITHIN_MS);
    const now = Date.now();
    for (const item of this.options.outbox?.unsent() ?? []) {
      if (now - (this.transmitted.get(item.id) ?? 0) >= ACK_WITHIN_MS) this.transmit(item);
    }
  };

  private awaitAnswer(within: number): void {
    if (this.answerTimer) return;
    this.answerTimer = setTimeout(() => {
      this.answerTimer = null;
      this.lost();
    }, within);
  }

  private answered(): void {
    if (this.answerTimer) clearTimeout(this.answerTimer);
    this.answerTimer = null;
  }

  // Frames -----------------------------------------------------------------------------------

  private transmit(item: Outgoing): void {
    const sent = this.send({
      type: "say",
      id: item.id,
      text: item.text,
      ...(item.button === undefined ? {} : { button: item.button }),
    });
    if (sent) this.transmitted.set(item.id, Date.now());
  }

  private receive(frame: ServerFrame | null): void {
    if (!frame) return;
    if (this.welcomed) this.answered();
    const { handlers, outbox } = this.options;
    switch (frame.type) {
      case "welcome":
        if (!this.numberingHolds(frame)) return;
        if (!this.welcomed) this.greet();
        handlers.frame?.(frame);
        break;
      case "event":
        this.number(frame);
        break;
      case "ack":
        outbox?.acknowledged(frame.id);
        break;
      case "refused":
        outbox?.refused(frame.id, frame.message, frame.retry === true);
        break;
      case "pong":
        break;
      default:
        handlers.frame?.(frame);
    }
  }

  /** A desk that knows fewer events than we have seen began anew: so do we. */
  private numberingHolds(welcome: { after: number; own?: number }): boolean {
    if (this.options.gapless === false) return true;
    let holds = true;
    for (const cursor of this.options.cursors) {
      const theirs = welcome[cursor];
      if (typeof theirs !== "number" || theirs >= (this.seen.get(cursor) ?? 0)) continue;
      this.seen.set(cursor, 0);
      this.holes.delete(cursor);
      this.options.handlers.reset?.(cursor);
      holds = false;
    }
    if (!holds) this.connect();
    return holds;
  }

  private number(frame: { stream: string; seq: number; event: StreamEvent }): void {
    const cursor: Cursor =
      frame.stream.startsWith("own:") && this.seen.has("own") ? "own" : "after";
    const { stream, seq, event } = frame;
    if (this.options.gapless === false) {
      this.seen.set(cursor, Math.max(this.seen.get(cursor) ?? 0, seq));
      this.options.handlers.event?.(stream, seq, event);
      return;
    }
    const last = this.seen.get(cursor) ?? 0;
    if (seq <= last) return;
    // A page that begins takes the first number as it comes: the desk may show only the latest.
    if (last > 0 && seq > last + 1 && this.holes.get(cursor) !== last) {
      this.holes.set(cursor, last);
      this.lost();
      return;
    }
    this.holes.delete(cursor);
    this.seen.set(cursor, seq);
    this.options.handlers.event?.(stream, seq, event);
  }
}
