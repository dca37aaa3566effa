import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Detail, Lists, Member, Row } from "../src/wire/staff";
import { live } from "../src/staff/useLive";
import { useDesk } from "../src/staff/useDesk";
import { useRows } from "../src/staff/useRows";
import { useSession } from "../src/staff/useSession";
import { staffApi } from "../src/wire/staffApi";
import { FakeSocket, message } from "./fakes";
import { detail, row } from "./staffRows";

const session = useSession();
const store = useRows();
const desk = useDesk();
const ME: Member = {
  id: 1,
  login: "he",
  name: "小何",
  role: "agent",
  may: ["read", "handle"],
  business: "hotel",
  presence: "online",
  capacity: 5,
  totp: false,
  must_change: false,
};

let there: Row[];
let whole: Detail;
let readLists: ReturnType<typeof vi.fn>;
let readDetail: ReturnType<typeof vi.fn>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  // Who is logged in, and the logout; everything else is asked of `staffApi`.
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ staff: ME, csrf: "x" })));
  FakeSocket.all = [];
  window.localStorage.clear();
  there = [row(), row({ id: "c2", owner: "bot" })];
  whole = detail({ seq: 4, private: [message({ id: "m1", text: "在吗" })] });
  readLists = vi.fn(async (): Promise<Lists> => ({ rows: there, truncated: false }));
  readDetail = vi.fn(async () => whole);
  vi.spyOn(staffApi, "lists").mockImplementation(readLists as typeof staffApi.lists);
  vi.spyOn(staffApi, "open").mockImplementation(readDetail as typeof staffApi.open);
  session.me.value = ME;
  live.start();
  store.start();
});

afterEach(async () => {
  await session.logout();
  hidden(false);
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const names = (list: "queue" | "mine" | "bot"): string[] =>
  store.lists.value[list].map((one) => one.id);
const watched = () => FakeSocket.latest.sent.filter((frame) => frame.type === "watch");
const texts = (): string[] =>
  (desk.detail.value?.private ?? []).map((event) => (event.kind === "message" ? event.text : ""));

function hidden(now: boolean): void {
  Object.defineProperty(document, "hidden", { value: now, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

describe("the rows", () => {
  it("are read once, and from then on kept by what the desk sends", async () => {
    await settle();
    FakeSocket.latest.welcome();
    await settle();
    const reads = readLists.mock.calls.length;
    expect(names("queue")).toEqual(["c1"]);
    FakeSocket.latest.say({
      type: "rows",
      rows: [row({ owner: "staff:1" }), row({ id: "c3", priority: 90 })],
      gone: ["c2"],
    });
    expect([names("queue"), names("mine"), names("bot")]).toEqual([["c3"], ["c1"], []]);
    await settle(10_000);
    expect(readLists).toHaveBeenCalledTimes(reads);
  });

  it("are read once more after a lost connection", async () => {
    await settle();
    FakeSocket.latest.welcome();
    await settle();
    const reads = readLists.mock.calls.length;
    there = [row({ id: "c9" })];
    FakeSocket.latest.drop();
    await settle(2_000);
    FakeSocket.latest.welcome();
    await settle();
    expect(readLists).toHaveBeenCalledTimes(reads + 1);
    expect(names("queue")).toEqual(["c9"]);
  });

  it("that change while they are read are newer than what is read", async () => {
    await settle();
    let answer: (lists: Lists) => void = () => undefined;
    readLists.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    FakeSocket.latest.welcome();
    await settle();
    FakeSocket.latest.say({ type: "rows", rows: [row({ owner: "staff:1" })], gone: ["c2"] });
    answer({ rows: there, truncated: false });
    await settle();
    expect([names("queue"), names("mine"), names("bot")]).toEqual([[], ["c1"], []]);
  });

  it("wake from being put aside by the clock", async () => {
    const until = new Date(Date.now() + 30_000).toISOString();
    there = [row({ owner: "staff:1", snoozed_until: until })];
    FakeSocket.latest.welcome();
    await store.read();
    expect(store.lists.value.snoozed).toHaveLength(1);
    await settle(60_000);
    expect(names("mine")).toEqual(["c1"]);
  });

  it("are forgotten when the member leaves", async () => {
    await settle();
    expect(store.rows.value.size).toBe(2);
    await session.logout();
    expect(store.rows.value.size).toBe(0);
    expect(store.listed.value).toBe(false);
  });
});

describe("the open conversation", () => {
  beforeEach(async () => {
    await settle();
    FakeSocket.latest.welcome();
    await desk.open("c1");
  });

  it("is read, and watched from there on", () => {
    expect(texts()).toEqual(["在吗"]);
    expect(watched()).toEqual([{ type: "watch", conversation: "c1", after: 4 }]);
  });

  it("shows what comes live once, though it is sent again", async () => {
    for (const seq of [5, 5]) {
      FakeSocket.latest.event(seq, { id: "m2", text: "还在吗" }, "conversation:c1");
    }
    await settle(50);
    whole = { ...whole, private: [...whole.private, message({ id: "m2", text: "还在吗" })], seq: 5 };
    FakeSocket.latest.say({ type: "detail", conversation: "c1" });
    await settle(300);
    expect(texts()).toEqual(["在吗", "还在吗"]);
  });

  it("reads what was missed while the connection was gone, once and in order", async () => {
    FakeSocket.latest.drop();
    whole = {
      ...whole,
      seq: 7,
      private: [
        ...whole.private,
        message({ id: "m2", text: "一", at: "2026-03-01T08:01:00+00:00" }),
        message({ id: "m3", text: "二", at: "2026-03-01T08:02:00+00:00" }),
      ],
    };
    await settle(30_000);
    FakeSocket.latest.welcome();
    await settle(500);
    expect(texts()).toEqual(["在吗", "一", "二"]);
    expect(watched().at(-1)).toEqual({ type: "watch", conversation: "c1", after: 7 });
  });

  it("counts nothing as read behind a hidden window", async () => {
    const reads = readDetail.mock.calls.length;
    hidden(true);
    expect(watched().at(-1)).toMatchObject({ conversation: null });
    FakeSocket.latest.say({ type: "rows", rows: [row({ unread: 1 })], gone: [] });
    await settle(1_000);
    expect(readDetail).toHaveBeenCalledTimes(reads);
    expect(store.unread.value).toBe(1);
    hidden(false);
    await settle(1_000);
    expect(readDetail).toHaveBeenCalledTimes(reads + 1);
    expect(watched().at(-1)).toMatchObject({ conversation: "c1" });
  });

  it("takes its row from the lists", async () => {
    FakeSocket.latest.say({ type: "rows", rows: [row({ owner: "staff:1", anger: 3 })], gone: [] });
    expect(desk.detail.value?.conversation).toMatchObject({ owner: "staff:1", anger: 3 });
  });

  it("says that the customer types until a word comes", async () => {
    const types = { type: "typing", who: "customer", conversation: "c1" } as const;
    FakeSocket.latest.say(types);
    expect(desk.typing.value).toBe(true);
    FakeSocket.latest.event(5, { id: "m2", text: "好" }, "conversation:c1");
    expect(desk.typing.value).toBe(false);
    FakeSocket.latest.say({ ...types, conversation: "c2" });
    expect(desk.typing.value).toBe(false);
    FakeSocket.latest.say(types);
    await settle(6_000);
    expect(desk.typing.value).toBe(false);
  });

  it("does not show the answer that belongs to the one before", async () => {
    let answer: (found: Detail) => void = () => undefined;
    readDetail.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    const first = desk.open("c2");
    whole = detail({ conversation: row({ id: "c3" }) });
    await desk.open("c3");
    answer(detail({ conversation: row({ id: "c2" }) }));
    await first;
    expect(desk.detail.value?.conversation.id).toBe("c3");
  });

  it("sends an answer once although its event comes before the call's end", async () => {
    let release: () => void = () => undefined;
    vi.spyOn(staffApi, "answer").mockImplementation(
      (_conversation, id) =>
        new Promise((resolve) => (release = () => resolve({ id, repeated: false }))),
    );
    desk.answer("您好");
    await settle();
    expect(desk.answers.value).toHaveLength(1);
    const said = { id: "m2", author: "staff", name: "小何", text: "您好" } as const;
    FakeSocket.latest.event(5, said, "conversation:c1");
    await settle(50);
    expect(desk.answers.value).toHaveLength(0);
    whole = { ...whole, private: [...whole.private, message(said)] };
    release();
    await settle(1_000);
    expect(texts().filter((text) => text === "您好")).toHaveLength(1);
    expect(desk.answers.value).toHaveLength(0);
  });
});
