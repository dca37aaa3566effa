import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Answers, type AnswersNews } from "../src/staff/conversation/answers";
import { ApiError } from "../src/wire/api";
import type { Outgoing } from "../src/wire/outbox";
import { staffApi } from "../src/wire/staffApi";

type Call = { id: string; text: string; confirmed: boolean };

let asked: Call[];
/** What the desk says next; anything but an error is a yes. */
let answersOfDesk: (ApiError | null)[];
let items: readonly Outgoing[];
let news: AnswersNews;
let taken: string[];
let refused: ApiError[];

beforeEach(() => {
  vi.useFakeTimers();
  window.localStorage.clear();
  asked = [];
  answersOfDesk = [];
  items = [];
  taken = [];
  refused = [];
  news = {
    changed: (now) => (items = now),
    held: () => undefined,
    taken: (id) => taken.push(id),
    refused: (error) => refused.push(error),
  };
  vi.spyOn(staffApi, "answer").mockImplementation(async (_id, id, text, confirmed = false) => {
    asked.push({ id, text, confirmed });
    const said = answersOfDesk.shift();
    if (said) throw said;
    return { id, repeated: false };
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);
const lost = () => new ApiError(0, "unreachable", "连不上");
const warned = () =>
  new ApiError(409, "warned", "请看提醒", {
    warnings: [{ kind: "promise", text: "超出政策", words: "赔一万" }],
  });

describe("answers on their way", () => {
  it("go out one after the other, in their order", async () => {
    const answers = new Answers(1, "c1", news);
    for (const text of ["一", "二", "三"]) answers.send(text);
    await settle();
    expect(asked.map((one) => one.text)).toEqual(["一", "二", "三"]);
    expect(new Set(taken).size).toBe(3);
  });

  it("wait for the network under their ids, and keep their order", async () => {
    answersOfDesk = [lost(), lost()];
    const answers = new Answers(1, "c1", news);
    answers.send("一");
    answers.send("二");
    await settle();
    expect(asked).toHaveLength(1);
    expect(items.map((item) => item.state)).toEqual(["sending", "sending"]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.map((one) => one.text)).toEqual(["一", "一", "一", "二"]);
    expect(new Set(asked.slice(0, 3).map((one) => one.id)).size).toBe(1);
    expect(taken).toHaveLength(2);
  });

  it("go out at once when the connection is back", async () => {
    answersOfDesk = [lost(), lost(), lost()];
    const answers = new Answers(1, "c1", news);
    answers.send("一");
    await vi.advanceTimersByTimeAsync(6_500);
    expect(taken).toHaveLength(0);
    answers.resume();
    await settle();
    expect(taken).toHaveLength(1);
  });

  it("outlive the page, under the same id", async () => {
    answersOfDesk = [lost()];
    const before = new Answers(1, "c1", news);
    before.send("写完就断网了");
    await settle();
    before.end();
    const after = new Answers(1, "c1", news);
    after.resume();
    await settle();
    expect(asked.map((one) => one.text)).toEqual(["写完就断网了", "写完就断网了"]);
    expect(asked[0]?.id).toBe(asked[1]?.id);
    expect(new Answers(1, "c1", news).all()).toEqual([]);
  });

  it("of one account are not another's", async () => {
    answersOfDesk = [lost()];
    const one = new Answers(1, "c1", news);
    one.send("我的话");
    await settle();
    one.end();
    expect(new Answers(2, "c1", news).all()).toEqual([]);
  });

  it("are held back by warnings until somebody confirms", async () => {
    const holding = vi.fn();
    answersOfDesk = [warned(), lost()];
    const answers = new Answers(1, "c1", { ...news, held: holding });
    answers.send("赔一万");
    await settle();
    const { id } = answers.held ?? { id: "" };
    expect(answers.held?.warnings[0]?.words).toBe("赔一万");
    expect(taken).toHaveLength(0);
    // A lost connection does not make it unconfirmed again.
    answers.again(id, true);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked.map((one) => one.confirmed)).toEqual([false, true, true]);
    expect(taken).toEqual([id]);
    expect(holding).toHaveBeenLastCalledWith(null);
  });

  it("given up return their words, and are not sent", async () => {
    answersOfDesk = [warned()];
    const answers = new Answers(1, "c1", news);
    answers.send("赔一万");
    await settle();
    expect(answers.discard(answers.held?.id ?? "")).toBe("赔一万");
    expect(answers.held).toBeNull();
    answers.resume();
    await settle();
    expect(asked).toHaveLength(1);
  });

  it("refused for good say why, and do not block the next", async () => {
    answersOfDesk = [new ApiError(409, "not_owner", "由小何负责")];
    const answers = new Answers(1, "c1", news);
    answers.send("一");
    answers.send("二");
    await settle();
    expect(items.find((item) => item.text === "一")).toMatchObject({
      state: "failed",
      message: "由小何负责",
      retry: false,
    });
    expect(asked.map((one) => one.text)).toEqual(["一", "二"]);
    expect(refused).toHaveLength(1);
  });

  it("wait where the session has ended", async () => {
    answersOfDesk = [new ApiError(401, "not_logged_in", "请登录")];
    const answers = new Answers(1, "c1", news);
    answers.send("一");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
    expect(items.map((item) => item.state)).toEqual(["sending"]);
    expect(refused).toHaveLength(1);
  });

  it("shown by the history before the desk has answered leave once", async () => {
    let release: (() => void) | undefined;
    vi.spyOn(staffApi, "answer").mockImplementation(
      (_conversation, id) =>
        new Promise((resolve) => (release = () => resolve({ id, repeated: false }))),
    );
    const answers = new Answers(1, "c1", news);
    answers.send("好的");
    answers.send("好的");
    answers.shown("好的");
    expect(answers.all()).toHaveLength(1);
    release?.();
    await settle();
    expect(answers.all()).toHaveLength(1);
    release?.();
    await settle();
    answers.settle();
    expect(answers.all()).toHaveLength(0);
  });
});
