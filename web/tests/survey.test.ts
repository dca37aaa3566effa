import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, nextTick, type App } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import SurveyPage from "../src/pages/SurveyPage.vue";
import { answersOf, emptyDraft, firstMissing, progress } from "../src/pages/survey";

const DIMENSIONS = [
  { id: "reliability", text: "说到做到" },
  { id: "empathy", text: "照顾到难处" },
];

describe("the answers of a survey", () => {
  it("are whole only when every question is", () => {
    const draft = emptyDraft(DIMENSIONS);
    expect(progress(draft)).toEqual({ done: 0, all: 4 });
    expect(firstMissing(draft)).toBe("reliability");
    draft.expected["reliability"] = 7;
    // Half of a pair is nothing yet.
    expect(progress(draft).done).toBe(0);
    draft.perceived["reliability"] = 4;
    draft.expected["empathy"] = 6;
    draft.perceived["empathy"] = 6;
    expect(firstMissing(draft)).toBe("confirmed");
    draft.confirmed = 3;
    expect(answersOf(draft)).toBeNull();
    // 0 is an answer.
    draft.recommend = 0;
    draft.words = "  还行 ";
    expect(progress(draft)).toEqual({ done: 4, all: 4 });
    expect(answersOf(draft)).toEqual({
      expected: { reliability: 7, empathy: 6 },
      perceived: { reliability: 4, empathy: 6 },
      confirmed: 3,
      recommend: 0,
      words: "还行",
    });
  });
});

describe("the page of a survey", () => {
  let app: App | undefined;
  let answer: { status: number; body: unknown };
  let sent: unknown[];

  beforeEach(() => {
    sent = [];
    vi.stubGlobal("fetch", (_path: string, init: { method: string; body?: string }) => {
      if (init.method === "POST") {
        sent.push(JSON.parse(init.body ?? "null"));
        return Promise.resolve(new Response(JSON.stringify({ state: "done", repeated: false })));
      }
      return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }));
    });
  });

  afterEach(() => {
    app?.unmount();
    document.body.replaceChildren();
    vi.unstubAllGlobals();
  });

  async function open(status: number, body: unknown): Promise<HTMLElement> {
    answer = { status, body };
    const root = document.createElement("div");
    document.body.append(root);
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: "/:rest(.*)*", component: { template: "<i />" } }],
    });
    app = createApp(SurveyPage, { token: "t".repeat(43) });
    app.use(router);
    app.mount(root);
    await settled();
    return root;
  }

  async function settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await nextTick();
    await new Promise((resolve) => setTimeout(resolve));
    await nextTick();
  }

  const choose = (id: string): void =>
    document.querySelector<HTMLInputElement>(`[data-testid=${id}]`)?.click();

  it("sends once what was chosen, and leads to what is missing", async () => {
    const root = await open(200, {
      state: "open",
      business: "岚庭酒店",
      matter: "房间没打扫",
      dimensions: DIMENSIONS,
    });
    expect(root.textContent).toContain("房间没打扫");
    const form = document.querySelector<HTMLFormElement>("[data-testid=survey]");
    form?.requestSubmit();
    await settled();
    expect(sent).toEqual([]);
    expect(document.querySelector("[data-testid=survey-failure]")?.textContent).toContain("没选");
    for (const id of ["reliability", "empathy"]) {
      choose(`expected-${id}-6`);
      choose(`perceived-${id}-5`);
    }
    choose("confirmed-4");
    choose("recommend-9");
    await settled();
    expect(root.textContent).toContain("已填 4 / 4");
    form?.requestSubmit();
    await settled();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ confirmed: 4, recommend: 9, words: "" });
    expect(document.querySelector("[data-testid=survey-thanks]")).not.toBeNull();
  });

  it("thanks who has answered before, and says so where it is too late", async () => {
    expect((await open(200, { state: "done", business: "岚庭酒店" })).textContent).toContain("谢谢");
    app?.unmount();
    const late = await open(200, { state: "expired", business: "岚庭酒店" });
    expect(late.textContent).toContain("过期");
    app?.unmount();
    const none = await open(404, { error: { code: "not_found", message: "没有找到" } });
    expect(none.textContent).toContain("没有找到这份问卷");
  });
});
