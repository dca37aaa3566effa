import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApp, h, nextTick, type App } from "vue";
import ComposerBox from "../src/chat/ComposerBox.vue";

let app: App;
let sent: string[];
let field: HTMLTextAreaElement;

function mount(draft = "test"): void {
  const root = document.createElement("div");
  document.body.append(root);
  app = createApp({
    render: () =>
      h(ComposerBox, {
        label: "留言",
        placeholder: "写一条留言",
        draft,
        onSend: (text: string) => sent.push(text),
      }),
  });
  app.mount(root);
  const found = root.querySelector("textarea");
  if (!found) throw new Error("no field");
  field = found;
}

beforeEach(() => {
  window.sessionStorage.clear();
  sent = [];
  mount();
});

afterEach(() => {
  app.unmount();
  document.body.replaceChildren();
});

async function write(text: string): Promise<void> {
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await nextTick();
}

/** Presses a key; returns whether the browser may still act on it (a line break, say). */
function press(key: string, more: KeyboardEventInit = {}): boolean {
  return field.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }),
  );
}

describe("Enter", () => {
  it("sends and empties the field", async () => {
    await write("  房间没打扫  ");
    expect(press("Enter")).toBe(false);
    await nextTick();
    expect(sent).toEqual(["房间没打扫"]);
    expect(field.value).toBe("");
  });

  it("never sends while an input method composes", async () => {
    await write("fangjian");
    expect(press("Enter", { isComposing: true })).toBe(true);
    expect(sent).toEqual([]);
  });

  it("never sends with the key code by which Safari ends a composition", async () => {
    await write("fangjian");
    expect(press("Enter", { keyCode: 229 })).toBe(true);
    expect(sent).toEqual([]);
  });

  it("with Shift breaks the line", async () => {
    await write("第一行");
    expect(press("Enter", { shiftKey: true })).toBe(true);
    expect(sent).toEqual([]);
  });

  it("sends nothing where nothing is written", async () => {
    await write(" \n ");
    press("Enter");
    expect(sent).toEqual([]);
  });
});

describe("the limit", () => {
  it("counts as the desk does and keeps what is too long in the field", async () => {
    await write("长".repeat(1999) + "🙂🙂");
    press("Enter");
    await nextTick();
    expect(sent).toEqual([]);
    expect(field.value).toHaveLength(2003);
    expect(document.querySelector('[role="alert"]')?.textContent).toContain("最多 2000 字");

    await write("长".repeat(1999) + "🙂");
    press("Enter");
    expect(sent).toHaveLength(1);
  });
});

describe("a draft", () => {
  it("survives a reload, until it is sent", async () => {
    await write("写到一半");
    app.unmount();
    mount();
    await nextTick();
    expect(field.value).toBe("写到一半");
    press("Enter");
    await nextTick();
    app.unmount();
    mount();
    await nextTick();
    expect(field.value).toBe("");
  });
});
