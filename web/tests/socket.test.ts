import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { StreamEvent } from "../src/wire/contract";
import { Outbox } from "../src/wire/outbox";
import { backoff, LiveSocket, type SocketOptions } from "../src/wire/socket";
import { FakeSocket } from "./fakes";

const KEY = "huixin.unsent.test";
let sockets: LiveSocket[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  sockets = [];
  window.sessionStorage.clear();
});

afterEach(() => {
  for (const socket of sockets) socket.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function open(options: Partial<SocketOptions> = {}) {
  const seen: number[] = [];
  const events: StreamEvent[] = [];
  const resets: string[] = [];
  const states: string[] = [];
  const outbox = new Outbox(KEY, window.sessionStorage);
  const live = new LiveSocket({
    path: "/ws/room/lobby",
    cursors: ["after", "own"],
    outbox,
    random: () => 0,
    handlers: {
      event(_stream, seq, event) {
        seen.push(seq);
        events.push(event);
      },
      reset: (cursor) => resets.push(cursor),
      connection: (state) => states.push(state),
    },
    ...options,
  });
  sockets.push(live);
  live.start();
  return { live, outbox, seen, events, resets, states };
}

/** Lets the planned next try happen; without jitter it comes after half a second. */
const nextTry = () => vi.advanceTimersByTimeAsync(500);

describe("messages on their way", () => {
  it("are sent again under the same id until the desk has them", async () => {
    const { live, outbox } = open();
    const first = FakeSocket.latest.welcome();
    const { id } = live.say("房间没打扫");
    expect(first.said).toEqual([{ type: "say", id, text: "房间没打扫" }]);

    first.drop();
    await nextTry();
    const second = FakeSocket.latest;
    expect(second).not.toBe(first);
    expect(second.said).toEqual([]);
    second.welcome();
    expect(second.said.map((frame) => frame.id)).toEqual([id]);
    second.say({ type: "ack", id, state: "sent", repeated: true });
    expect(outbox.all()).toMatchObject([{ id, state: "sent" }]);

    second.drop();
    await nextTry();
    expect(FakeSocket.latest.welcome().said).toEqual([]);
  });

  it("wait for the first connection, and go out in order", () => {
    const { live } = open();
    const ids = [live.say("一").id, live.say("二", "signed").id];
    expect(FakeSocket.latest.welcome().said).toEqual([
      { type: "say", id: ids[0], text: "一" },
      { type: "say", id: ids[1], text: "二", button: "signed" },
    ]);
  });

  it("survive a reload of the page", () => {
    const { live } = open();
    const { id } = live.say("等了一个小时");
    live.stop();

    open();
    expect(FakeSocket.latest.welcome().said).toMatchObject([{ id, text: "等了一个小时" }]);
  });

  it("are sent again when the connection lives but no answer comes", async () => {
    const { live } = open();
    const socket = FakeSocket.latest.welcome();
    const { id } = live.say("在吗");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.said.map((frame) => frame.id)).toEqual([id, id]);
  });

  it("fail with the desk's words and keep their id for a retry", () => {
    const { live, outbox } = open();
    const socket = FakeSocket.latest.welcome();
    const { id } = live.say("快点");
    socket.say({ type: "refused", id, code: "too_fast", message: "发得太快了", retry: true });
    expect(outbox.all()).toMatchObject([{ id, state: "failed", message: "发得太快了", retry: true }]);

    live.retry(id);
    expect(socket.said.map((frame) => frame.id)).toEqual([id, id]);
    expect(outbox.all()).toMatchObject([{ id, state: "sending" }]);
    socket.say({ type: "ack", id, state: "sent", repeated: false });
    expect(outbox.all()).toMatchObject([{ id, state: "sent" }]);
  });

  it("stay failed over a reload, and are not sent by themselves", () => {
    const { live } = open();
    const { id } = live.say("快点");
    FakeSocket.latest
      .welcome()
      .say({ type: "refused", id, code: "too_fast", message: "发得太快了", retry: true });
    live.stop();

    const { outbox } = open();
    expect(FakeSocket.latest.welcome().said).toEqual([]);
    expect(outbox.all()).toMatchObject([{ id, state: "failed", message: "发得太快了" }]);
  });

  it("are not tried again where that cannot help", () => {
    const { live, outbox } = open();
    const socket = FakeSocket.latest.welcome();
    const { id } = live.say("长");
    socket.say({ type: "refused", id, code: "too_long", message: "太长了", retry: false });
    live.retry(id);
    expect(socket.said).toHaveLength(1);
    expect(outbox.all()).toMatchObject([{ state: "failed", retry: false }]);
  });

  it("do not fail any more once the desk has them", () => {
    const { live, outbox } = open();
    const socket = FakeSocket.latest.welcome();
    const { id } = live.say("好");
    socket.say({ type: "ack", id, state: "sent", repeated: false });
    socket.say({ type: "refused", id, code: "too_fast", message: "发得太快了", retry: true });
    expect(outbox.all()).toMatchObject([{ id, state: "sent" }]);
  });
});

describe("events", () => {
  it("are shown once and in order", () => {
    const { seen } = open();
    FakeSocket.latest.welcome().event(1).event(2).event(2).event(1).event(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it("go on from the last seen numbers after a reconnect", async () => {
    const { seen } = open();
    const first = FakeSocket.latest;
    expect(first.url).toMatch(/\/ws\/room\/lobby\?/);
    expect(first.query).toEqual({ after: "0", own: "0" });
    first.welcome().event(1).event(2).event(1, {}, "own:k1");
    first.drop();
    await nextTry();
    expect(FakeSocket.latest.query).toEqual({ after: "2", own: "1" });
    FakeSocket.latest.welcome(3, 1).event(2).event(3);
    expect(seen).toEqual([1, 2, 1, 3]);
  });

  it("that jump are not shown; the page asks again from the last number", async () => {
    const { seen } = open();
    const first = FakeSocket.latest.welcome().event(1).event(3);
    expect(seen).toEqual([1]);
    expect(first.readyState).toBe(3);
    await nextTry();
    expect(FakeSocket.latest.query["after"]).toBe("1");
    FakeSocket.latest.welcome(3).event(2).event(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it("that jump twice at the same place are shown: the numbers between do not exist", async () => {
    const { seen } = open();
    FakeSocket.latest.welcome().event(1).event(5);
    await nextTry();
    FakeSocket.latest.welcome(6).event(5).event(6);
    expect(seen).toEqual([1, 5, 6]);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("may begin at any number for a newcomer", () => {
    const { seen } = open();
    FakeSocket.latest.welcome(702).event(701).event(702);
    expect(seen).toEqual([701, 702]);
    expect(FakeSocket.all).toHaveLength(1);
  });

  it("begin anew when the desk's numbers did", () => {
    const { seen, resets } = open();
    FakeSocket.latest.welcome(2).event(1).event(2);
    FakeSocket.latest.drop();
    vi.advanceTimersByTime(500);
    FakeSocket.latest.welcome(1);
    expect(resets).toEqual(["after"]);
    expect(FakeSocket.latest.query["after"]).toBe("0");
    FakeSocket.latest.welcome(1).event(1);
    expect(seen).toEqual([1, 2, 1]);
  });

  it("of a late connection are nobody's any more", async () => {
    const { seen } = open();
    const first = FakeSocket.latest.welcome();
    const late = first.onmessage;
    first.drop();
    await nextTry();
    late?.({ data: JSON.stringify({ type: "event", stream: "room:lobby", seq: 1, event: {} }) });
    expect(seen).toEqual([]);
  });

  it("that are no frames are passed over", () => {
    const { seen } = open();
    const socket = FakeSocket.latest.welcome();
    for (const data of ["{", "null", "[]", '{"type":"event","seq":"1"}', '{"type":"new"}']) {
      socket.onmessage?.({ data });
    }
    socket.event(1);
    expect(seen).toEqual([1]);
  });
});

describe("the connection", () => {
  it("waits longer with every failure, between half a second and fifteen", () => {
    for (let failures = 0; failures < 40; failures += 1) {
      expect(backoff(failures, 0)).toBe(500);
      expect(backoff(failures, 1)).toBeLessThanOrEqual(15_000);
      expect(backoff(failures + 1, 1)).toBeGreaterThanOrEqual(backoff(failures, 1));
    }
    expect(backoff(0, 1)).toBe(1_000);
    expect(backoff(20, 1)).toBe(15_000);
  });

  it("is tried at once when the network is back", () => {
    const { states } = open({ random: () => 1 });
    FakeSocket.latest.welcome();
    window.dispatchEvent(new Event("offline"));
    expect(FakeSocket.all).toHaveLength(1);
    expect(states.at(-1)).toBe("waiting");
    window.dispatchEvent(new Event("online"));
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("is given up and made anew when no heartbeat comes back", async () => {
    open();
    const socket = FakeSocket.latest.welcome();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.sent).toEqual([{ type: "ping" }]);
    socket.say({ type: "pong" });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.sent).toHaveLength(2);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(8_500);
    expect(socket.readyState).toBe(3);
    expect(FakeSocket.all).toHaveLength(2);
  });

  it("asks after the session only when it was turned away", async () => {
    const revive = vi.fn(async () => true);
    open({ revive });
    FakeSocket.latest.welcome().drop();
    await nextTry();
    expect(revive).not.toHaveBeenCalled();
    FakeSocket.latest.drop();
    await nextTry();
    expect(revive).toHaveBeenCalledOnce();
    expect(FakeSocket.all).toHaveLength(3);
  });

  it("stops where there is nothing to come back to", async () => {
    const { live } = open({ revive: async () => false });
    FakeSocket.latest.drop();
    await nextTry();
    expect(live.connection).toBe("stopped");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(1);
  });
});
