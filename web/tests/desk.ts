import { vi } from "vitest";
import type { ClientFrame, ServerFrame } from "../src/wire/contract";

/** The desk's end of a connection, as far as a page can tell. */
export class FakeSocket {
  static readonly OPEN = 1;
  static opened: FakeSocket[] = [];
  readyState = FakeSocket.OPEN;
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: ClientFrame[] = [];

  constructor(readonly url: string) {
    FakeSocket.opened.push(this);
  }

  send(raw: string): void {
    this.sent.push(JSON.parse(raw) as ClientFrame);
  }

  close(): void {
    this.readyState = 3;
  }

  /** The desk sends a frame. */
  push(frame: ServerFrame): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** The connection breaks. */
  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  said(): { id: string; text: string }[] {
    return this.sent.filter((frame) => frame.type === "say");
  }

  static get last(): FakeSocket {
    const socket = FakeSocket.opened.at(-1);
    if (!socket) throw new Error("nothing was opened");
    return socket;
  }
}

/** A browser with a clock that stands still until it is moved. */
export function browser(): void {
  FakeSocket.opened = [];
  vi.useFakeTimers();
  const listening = { addEventListener: () => {}, removeEventListener: () => {} };
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("window", {
    ...listening,
    location: { protocol: "http:", host: "desk.test" },
  });
  vi.stubGlobal("document", { ...listening, visibilityState: "visible" });
  vi.stubGlobal("navigator", { onLine: true });
}

export function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as unknown as Storage;
}
