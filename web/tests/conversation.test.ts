import { afterEach, describe, expect, it } from "vitest";
import { dayWords, linesOf, stretchesOf } from "../src/staff/conversation/history";
import { piecesOf } from "../src/staff/conversation/marks";
import { meant, mention, mentionAt, mentioned } from "../src/staff/conversation/mentions";
import { forgetWords, readDraft, unsentConversations, wordsKey, writeDraft } from "../src/staff/drafts";
import { busyElsewhere, KeyReader } from "../src/staff/useShortcuts";
import type { Colleague, Note } from "../src/wire/staff";
import { message } from "./fakes";

const at = (minute: number): string => new Date(Date.UTC(2026, 2, 1, 8, minute)).toISOString();
const note = (id: string, minute: number): Note => ({
  id,
  kind: "note",
  by: "王芳",
  by_id: 2,
  text: "看一下",
  mentions: [],
  at: at(minute),
});
const colleague = (id: number, name: string): Colleague => ({
  id,
  name,
  role: "agent",
  presence: "online",
  open: 0,
  capacity: 5,
  skills: [],
});

describe("the history", () => {
  const said = {
    public: [message({ id: "p1", at: at(0) }), message({ id: "p2", at: at(10) })],
    private: [message({ id: "q1", at: at(5) }), message({ id: "q2", at: at(20) })],
  };

  it("stands in the order of time, each line in its place", () => {
    const lines = linesOf(said, [note("n", 7)]);
    expect(lines.map((line) => line.key)).toEqual([
      "event:p1",
      "event:q1",
      "note:n",
      "event:p2",
      "event:q2",
    ]);
    expect(lines.map((line) => line.place)).toEqual([
      "public",
      "private",
      "private",
      "public",
      "private",
    ]);
  });

  it("names a place that is come back to", () => {
    const stretches = stretchesOf(linesOf(said, []), new Set());
    expect(stretches.map((one) => [one.place, one.again])).toEqual([
      ["public", false],
      ["private", false],
      ["public", true],
      ["private", true],
    ]);
    const rest = stretchesOf(linesOf(said, []).slice(3), new Set(["public", "private"] as const));
    expect(rest[0]?.again).toBe(true);
  });

  it("puts a note before all words where the conversation begins", () => {
    expect(linesOf({ public: said.public, private: [] }, [note("n", -5)])[0]).toMatchObject({
      key: "note:n",
      place: "public",
    });
  });

  it("parts days", () => {
    // In the reader's zone, whichever the machine has.
    const noon = (year: number, month: number, day: number): string =>
      new Date(year, month - 1, day, 12).toISOString();
    const said = [
      message({ id: "a", at: noon(2026, 3, 1) }),
      message({ id: "b", at: noon(2026, 3, 2) }),
    ];
    const lines = linesOf({ public: [], private: said }, []);
    expect(stretchesOf(lines, new Set())[0]?.days).toHaveLength(2);
    const now = new Date(2026, 2, 2, 0, 5);
    expect(dayWords(noon(2026, 3, 2), now)).toBe("今天");
    expect(dayWords(noon(2026, 3, 1), now)).toBe("昨天");
    expect(dayWords(noon(2026, 2, 1), now)).toBe("2月1日");
    expect(dayWords(noon(2025, 12, 31), now)).toBe("2025年12月31日");
  });
});

describe("words that a warning means", () => {
  it("are marked, and nothing is lost or doubled", () => {
    const pieces = piecesOf("我赔你一万，一定赔你", ["赔你一万", "赔你", ""]);
    expect(pieces.filter((one) => one.marked).map((one) => one.text)).toEqual(["赔你一万", "赔你"]);
    expect(pieces.map((one) => one.text).join("")).toBe("我赔你一万，一定赔你");
    expect(piecesOf("没有", ["别的"])).toEqual([{ text: "没有", marked: false }]);
  });
});

describe("a mention", () => {
  const colleagues = [colleague(1, "王芳"), colleague(2, "王芳芳"), colleague(3, "Li Lei")];

  it("is what follows the last sign before the caret", () => {
    expect(mentionAt("请 @王", 4)).toEqual({ from: 2, word: "王" });
    expect(mentionAt("@", 1)).toEqual({ from: 0, word: "" });
    expect(mentionAt("a@b", 3)).toBeNull();
    expect(mentionAt("@王芳 好", 5)).toBeNull();
    expect(meant(colleagues, "芳芳").map((one) => one.id)).toEqual([2]);
  });

  it("is completed where it stands", () => {
    const found = mention("请 @王 看", { from: 2, word: "王" }, "王芳");
    expect(found).toEqual({ text: "请 @王芳 看", caret: 6 });
  });

  it("means the longest name", () => {
    expect(mentioned("@王芳芳 看", colleagues)).toEqual([2]);
    expect(mentioned("@王芳 和 @王芳芳", colleagues).sort()).toEqual([1, 2]);
    expect(mentioned("王芳", colleagues)).toEqual([]);
  });
});

describe("drafts", () => {
  afterEach(() => {
    forgetWords(1);
    window.localStorage.clear();
  });

  it("are kept by account, conversation and kind, and end with the logout", () => {
    const key = wordsKey(1, "c1", "answer");
    writeDraft(key, "写到一半");
    writeDraft(wordsKey(2, "c1", "answer"), "别人的");
    expect(readDraft(key)).toBe("写到一半");
    expect(readDraft(wordsKey(1, "c1", "note"))).toBe("");
    expect(JSON.parse(window.localStorage.getItem(key) ?? "").text).toBe("写到一半");
    forgetWords(1);
    expect(readDraft(key)).toBe("");
    expect(window.localStorage.getItem(key)).toBeNull();
    expect(window.localStorage.getItem(wordsKey(2, "c1", "answer"))).not.toBeNull();
  });

  it("name the conversations with answers that wait", () => {
    window.localStorage.setItem(wordsKey(1, "c7", "outbox"), "[]");
    window.localStorage.setItem(wordsKey(11, "c8", "outbox"), "[]");
    expect(unsentConversations(1)).toEqual(["c7"]);
  });

  it("read nothing out of what is no draft", () => {
    const key = wordsKey(1, "c9", "answer");
    for (const kept of ["{", "3", '{"text": 4, "at": 1}', '{"text": "alt", "at": 0}']) {
      window.localStorage.setItem(key, kept);
      expect(readDraft(key)).toBe("");
    }
  });
});

describe("shortcuts", () => {
  it("are one key, or two in time", () => {
    const reader = new KeyReader(["j", "q", "g q", "g m"]);
    expect(reader.read("j", 0)).toBe("j");
    expect(reader.read("g", 100)).toBeNull();
    expect(reader.read("q", 200)).toBe("g q");
    expect(reader.read("q", 300)).toBe("q");
    expect(reader.read("g", 400)).toBeNull();
    expect(reader.read("m", 9_000)).toBeNull();
    expect(reader.read("g", 9_100)).toBeNull();
    expect(reader.read("j", 9_200)).toBe("j");
  });

  it("rest while somebody types", () => {
    document.body.innerHTML = "<textarea></textarea><p contenteditable>x</p><button>y</button>";
    const [area, editable, button] = [...document.body.children];
    expect(busyElsewhere(area ?? null)).toBe(true);
    expect(busyElsewhere(editable ?? null)).toBe(true);
    expect(busyElsewhere(button ?? null)).toBe(false);
    document.body.innerHTML = "";
  });
});
