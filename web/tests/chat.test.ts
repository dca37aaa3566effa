import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, type EffectScope } from "vue";
import { itemsOf } from "../src/chat/items";
import { useChat, type Chat } from "../src/chat/useChat";
import { FakeSocket } from "./fakes";

let scope: EffectScope;
let chat: Chat;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.all = [];
  window.sessionStorage.clear();
  scope = effectScope();
  chat = scope.run(() => useChat({ path: "/ws/conversation/p1", cursors: ["after"] })) as Chat;
  chat.start();
});

afterEach(() => {
  scope.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const items = () => itemsOf(chat.entries.value, chat.pending.value);

describe("a chat", () => {
  it("shows one's own message once, under one key, from sending to the echo", async () => {
    const socket = FakeSocket.latest.welcome();
    const { id } = chat.say("房间没打扫");
    expect(items()).toMatchObject([{ key: `say:${id}`, outgoing: { state: "sending" } }]);
    socket.say({ type: "ack", id, state: "sent", repeated: false });
    expect(items()).toMatchObject([{ key: `say:${id}`, outgoing: { state: "sent" } }]);

    socket.event(1, { mine: true, client_id: id, text: "房间没打扫" }, "private:p1");
    expect(items()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(20);
    expect(items()).toMatchObject([{ key: `say:${id}`, entry: { event: { id: "e1" } } }]);
    expect(chat.pending.value).toEqual([]);
  });

  it("knows an echo that comes before the acknowledgement", async () => {
    const socket = FakeSocket.latest.welcome();
    const { id } = chat.say("在吗");
    socket.event(1, { mine: true, client_id: id }, "private:p1");
    await vi.advanceTimersByTimeAsync(20);
    socket.drop();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(FakeSocket.latest.welcome(1).said).toEqual([]);
    expect(items()).toHaveLength(1);
  });

  it("takes the typing sign back by itself, or when the message is there", async () => {
    const socket = FakeSocket.latest.welcome();
    socket.say({ type: "typing", on: true, who: "bot" });
    expect(chat.typing.value).toBe("bot");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(chat.typing.value).toBeNull();

    socket.say({ type: "typing", on: true, who: "staff" });
    socket.event(1, { author: "staff" }, "private:p1");
    await vi.advanceTimersByTimeAsync(20);
    expect(chat.typing.value).toBeNull();
  });

  it("says that it types at most every three seconds", async () => {
    const socket = FakeSocket.latest.welcome();
    for (let key = 0; key < 5; key += 1) chat.tellTyping();
    expect(socket.sent).toEqual([{ type: "typing" }]);
    await vi.advanceTimersByTimeAsync(3_000);
    chat.tellTyping();
    expect(socket.sent).toHaveLength(2);
  });
});
