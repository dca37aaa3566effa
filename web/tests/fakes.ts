import type { ClientFrame, MessageEvent, ServerFrame } from "../src/wire/contract";

/** A WebSocket whose other end is the test. */
export class FakeSocket {
  static readonly OPEN = 1;
  static all: FakeSocket[] = [];

  readyState = 0;
  readonly sent: ClientFrame[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  /** The connection made last. */
  static get latest(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("nothing was opened");
    return socket;
  }

  get query(): Record<string, string> {
    return Object.fromEntries(new URL(this.url).searchParams);
  }

  /** What was said over this connection. */
  get said(): Extract<ClientFrame, { type: "say" }>[] {
    return this.sent.filter((frame) => frame.type === "say");
  }

  send(raw: string): void {
    if (this.readyState !== FakeSocket.OPEN) throw new Error("not open");
    this.sent.push(JSON.parse(raw) as ClientFrame);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The desk lets the page in. */
  welcome(after = 0, own = 0): this {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.();
    return this.say({ type: "welcome", after, own, status: "ready" });
  }

  say(frame: ServerFrame): this {
    this.onmessage?.({ data: JSON.stringify(frame) });
    return this;
  }

  event(seq: number, event: Partial<MessageEvent> = {}, stream = "room:lobby"): this {
    return this.say({ type: "event", stream, seq, event: message({ id: `e${seq}`, ...event }) });
  }

  /** The connection breaks. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}

export function message(parts: Partial<MessageEvent> = {}): MessageEvent {
  return {
    id: "e1",
    kind: "message",
    at: "2026-03-01T08:00:00+00:00",
    author: "customer",
    name: "林一",
    mine: false,
    text: "早餐很好吃",
    ...parts,
  };
}
