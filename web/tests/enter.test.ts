import { describe, expect, it } from "vitest";
import { sendsMessage, type KeyPress } from "../src/chat/enter";

function press(more: Partial<KeyPress>): KeyPress {
  return {
    key: "Enter",
    shiftKey: false,
    ctrlKey: false,
    altKey: false,
    metaKey: false,
    isComposing: false,
    keyCode: 13,
    ...more,
  };
}

describe("the Enter key", () => {
  it("sends", () => expect(sendsMessage(press({}))).toBe(true));
  it("never sends while an input method composes", () => {
    expect(sendsMessage(press({ isComposing: true }))).toBe(false);
    expect(sendsMessage(press({ keyCode: 229 }))).toBe(false);
  });
  it("makes a new line with Shift", () => expect(sendsMessage(press({ shiftKey: true }))).toBe(false));
  it("is the only key that sends", () => expect(sendsMessage(press({ key: "a" }))).toBe(false));
});
