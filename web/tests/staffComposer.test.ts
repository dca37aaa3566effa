import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, reactive, type App } from "vue";
import StaffComposer from "../src/staff/conversation/StaffComposer.vue";
import { useSession } from "../src/staff/useSession";
import { ApiError } from "../src/wire/api";
import type { Detail, Member, Note } from "../src/wire/staff";
import { staffApi } from "../src/wire/staffApi";
import { AT, detail, row } from "./staffRows";

const session = useSession();
let app: App;
let root: HTMLElement;
let shown: { detail: Detail; mine: boolean };
let answered: string[];
let notes: { id: string; text: string; mentions: number[] }[];
let failure: ApiError | null;

function member(may: Member["may"]): Member {
  return {
    id: 1,
    login: "he",
    name: "小何",
    role: "agent",
    may,
    business: "hotel",
    presence: "online",
    capacity: 5,
    totp: false,
    must_change: false,
  };
}

function mount(may: Member["may"] = ["read", "handle"]): void {
  const me = member(may);
  session.me.value = me;
  shown = reactive({ detail: detail({ conversation: row({ owner: "staff:1" }) }), mine: true });
  app = createApp({
    render: () =>
      h(StaffComposer, {
        ...shown,
        me,
        blocked: "接手以后才能回复",
        trouble: "",
        onAnswer: (text: string) => answered.push(text),
      }),
  });
  app.mount(root);
}

beforeEach(() => {
  window.localStorage.clear();
  root = document.createElement("div");
  document.body.append(root);
  answered = [];
  notes = [];
  failure = null;
  vi.spyOn(staffApi, "suggestions").mockResolvedValue({ suggestions: [] });
  vi.spyOn(staffApi, "colleagues").mockResolvedValue({
    colleagues: [
      { id: 2, name: "王芳", role: "agent", presence: "online", open: 0, capacity: 5, skills: [] },
    ],
  });
  vi.spyOn(staffApi, "note").mockImplementation(async (_id, id, text, mentions) => {
    notes.push({ id, text, mentions });
    if (failure) throw failure;
    return { id, kind: "note", by: "小何", by_id: 1, text, mentions, at: AT } satisfies Note;
  });
});

afterEach(() => {
  app.unmount();
  root.remove();
  session.me.value = null;
  vi.restoreAllMocks();
});

const find = <T extends HTMLElement>(id: string): T | null =>
  root.querySelector<T>(`[data-testid=${id}]`);
const field = (): HTMLTextAreaElement => find<HTMLTextAreaElement>("composer") as HTMLTextAreaElement;

async function settle(): Promise<void> {
  for (let round = 0; round < 5; round += 1) await nextTick();
}

async function type(text: string): Promise<void> {
  field().value = text;
  field().setSelectionRange(text.length, text.length);
  field().dispatchEvent(new Event("input", { bubbles: true }));
  await settle();
}

async function press(key: string): Promise<void> {
  field().dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await settle();
}

async function click(id: string): Promise<void> {
  find(id)?.click();
  await settle();
}

describe("the composer of staff", () => {
  it("sends an answer with Enter and is empty then", async () => {
    mount();
    await type("  您好  ");
    await press("Enter");
    expect(answered).toEqual(["您好"]);
    expect(field().value).toBe("");
  });

  it("never sends a note to the customer, nor an answer to colleagues", async () => {
    mount();
    await type("给顾客的话");
    await click("mode-note");
    expect(field().value).toBe("");
    expect(root.querySelector(".composer")?.classList.contains("note")).toBe(true);
    await type("给同事的话");
    await press("Enter");
    expect(notes.map((one) => one.text)).toEqual(["给同事的话"]);
    expect(answered).toEqual([]);
    await click("mode-answer");
    expect(field().value).toBe("给顾客的话");
  });

  it("keeps a note that did not arrive, and tries it again as the same note", async () => {
    mount();
    await click("mode-note");
    await type("@王芳 看一下");
    failure = new ApiError(0, "unreachable", "暂时连不上服务");
    await click("send");
    expect(field().value).toBe("@王芳 看一下");
    expect(find("composer-trouble")?.textContent).toContain("暂时连不上服务");
    failure = null;
    await click("send");
    expect(notes[0]?.id).toBe(notes[1]?.id);
    expect(notes[1]?.mentions).toEqual([2]);
    expect(field().value).toBe("");
    await type("另一条");
    await click("send");
    expect(notes[2]?.id).not.toBe(notes[1]?.id);
  });

  it("completes a colleague's name", async () => {
    mount();
    await click("mode-note");
    await type("请 @王");
    expect(find("mention-option")?.textContent).toContain("王芳");
    await press("Enter");
    expect(field().value).toBe("请 @王芳 ");
    expect(notes).toEqual([]);
  });

  it("keeps each conversation's words", async () => {
    mount();
    await type("写给第一位");
    shown.detail = detail({ conversation: row({ id: "c2", owner: "staff:1" }) });
    await settle();
    expect(field().value).toBe("");
    await type("写给第二位");
    shown.detail = detail({ conversation: row({ owner: "staff:1" }) });
    await settle();
    expect(field().value).toBe("写给第一位");
  });

  it("is shut for who does not own the conversation, but for notes", async () => {
    mount();
    shown.mine = false;
    await settle();
    expect(field().disabled).toBe(true);
    expect(root.textContent).toContain("接手以后才能回复");
    await click("mode-note");
    expect(field().disabled).toBe(false);
    expect(find("mode-whisper")).toBeNull();
  });

  it("lets who oversees whisper to the owner, not to themselves", async () => {
    mount(["read", "handle", "oversee"]);
    expect(find("mode-whisper")).toBeNull();
    shown.detail = detail({ conversation: row({ owner: "staff:2", owner_name: "王芳" }) });
    shown.mine = false;
    await settle();
    expect(find("mode-whisper")).not.toBeNull();
  });

  it("offers a trainer nothing to write", async () => {
    mount(["read"]);
    shown.mine = false;
    await settle();
    expect(field().disabled).toBe(true);
    expect(find("mode-note")).toBeNull();
  });

  it("says plainly that everybody reads a public answer", async () => {
    mount();
    shown.detail = detail({ conversation: row({ owner: "staff:1", visibility: "public" }) });
    await settle();
    expect(root.textContent).toContain("所有人都能看到");
    expect(find("picture-picker")).toBeNull();
  });

  it("sends nothing while an input method is at work", async () => {
    mount();
    await type("ni hao");
    field().dispatchEvent(
      new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }),
    );
    await settle();
    expect(answered).toEqual([]);
  });
});
