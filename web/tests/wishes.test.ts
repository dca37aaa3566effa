import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, type App } from "vue";
import WishesBlock from "../src/staff/panel/WishesBlock.vue";
import type { Act, Member } from "../src/wire/staff";
import type { AftercareShown } from "../src/wire/staffAftercare";

const HELD: AftercareShown = {
  wishes: [{ text: "别给我券", kind: "不要券", at: "2026-11-22T03:00:00Z", by: "顾客" }],
  no_marketing: true,
  no_follow_up: false,
  gestures: [
    {
      id: "g1",
      kind: "gesture",
      title: "店长手写一张卡片",
      why: "这次让您生了气",
      task: true,
      cost_fen: 500,
      state: "taken",
      at: "2026-11-22T03:00:00Z",
      settled_at: "2026-11-22T03:10:00Z",
    },
  ],
  survey: {
    sent_at: "2026-11-22T02:00:00Z",
    answered_at: "2026-11-22T02:30:00Z",
    expected: { reliability: 7 },
    perceived: { reliability: 4 },
    confirmed: 2,
    recommend: 8,
    words: "就是慢了点",
  },
};

describe("the wishes of a customer in the case panel", () => {
  let app: App | undefined;
  let sent: [string, unknown][];
  let changed: number;

  beforeEach(() => {
    sent = [];
    changed = 0;
    vi.stubGlobal("fetch", (path: string, init: { body?: string }) => {
      sent.push([path, JSON.parse(init.body ?? "null")]);
      return Promise.resolve(new Response("{}"));
    });
  });

  afterEach(() => {
    app?.unmount();
    document.body.replaceChildren();
    vi.unstubAllGlobals();
  });

  function open(...may: Act[]): HTMLElement {
    const root = document.createElement("div");
    document.body.append(root);
    const me = { id: 1, name: "小林", role: "agent", may } as unknown as Member;
    app = createApp({
      render: () =>
        h(WishesBlock, {
          conversation: "k1",
          held: HELD,
          me,
          now: Date.parse("2026-11-22T04:00:00Z"),
          onChanged: () => (changed += 1),
        }),
    });
    app.mount(root);
    return root;
  }

  const box = (id: string): HTMLInputElement | null =>
    document.querySelector<HTMLInputElement>(`[data-testid=${id}]`);
  async function settled(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    await nextTick();
  }

  it("shows them with the gesture and the survey, and changes one thing at a time", async () => {
    const root = open("read", "handle");
    for (const words of ["别给我券", "不要券", "手写一张卡片", "成本 5元", "4（期望 7）", "就是慢了点"]) {
      expect(root.textContent).toContain(words);
    }
    box("gesture-done")?.click();
    await settled();
    box("no-follow-up")?.click();
    await settled();
    expect(sent).toEqual([
      ["/api/staff/conversations/k1/gestures/g1/done", {}],
      ["/api/staff/conversations/k1/wishes", { no_follow_up: true }],
    ]);
    expect(changed).toBe(2);
  });

  it("lets only who oversees take a refusal back, and who only reads change nothing", () => {
    open("read", "handle");
    expect(box("no-marketing")?.disabled).toBe(true);
    app?.unmount();
    open("read", "handle", "oversee");
    expect(box("no-marketing")?.disabled).toBe(false);
    app?.unmount();
    open("read");
    expect(box("no-follow-up")?.disabled).toBe(true);
    expect(box("wish-text")).toBeNull();
  });
});
