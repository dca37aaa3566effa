import { describe, expect, it } from "vitest";
import { itemsOf } from "../src/chat/items";
import { closing, lastInvitation, overtaken, replyStates, Timeline } from "../src/chat/timeline";
import type { ChatEvent, OfferEvent } from "../src/wire/contract";
import { message } from "./fakes";

const at = (minute: number): string => `2026-03-01T08:${String(minute).padStart(2, "0")}:00+00:00`;

function offer(parts: Partial<OfferEvent> = {}): OfferEvent {
  return {
    id: "e9",
    kind: "offer",
    at: at(9),
    offer: "o1",
    items: [{ title: "换一间房", detail: "" }],
    reason: "没有打扫",
    steps: [],
    expires: at(59),
    state: "open",
    ...parts,
  };
}

function invitation(token: string, minute: number): ChatEvent {
  return {
    id: `i${token}`,
    kind: "invitation",
    at: at(minute),
    token,
    matter: "",
    text: "",
    expires: at(59),
  };
}

function texts(timeline: Timeline): string[] {
  return timeline.entries().map(({ event }) => (event.kind === "message" ? event.text : event.kind));
}

describe("a timeline", () => {
  it("merges the room and one's own part by time", () => {
    const timeline = new Timeline();
    timeline.add("room", message({ id: "a", at: at(1), text: "一" }));
    timeline.add("room", message({ id: "c", at: at(3), text: "三" }));
    timeline.add("own", message({ id: "b", at: at(2), text: "二" }));
    expect(texts(timeline)).toEqual(["一", "二", "三"]);
  });

  it("keeps the order of a stream whatever its clock says", () => {
    const timeline = new Timeline();
    timeline.add("room", message({ id: "a", at: at(2), text: "先" }));
    timeline.add("room", message({ id: "b", at: at(1), text: "后" }));
    expect(texts(timeline)).toEqual(["先", "后"]);
  });

  it("shows a post once, in the form of one's own stream", () => {
    for (const places of [["room", "own"] as const, ["own", "room"] as const]) {
      const timeline = new Timeline();
      for (const place of places) {
        const text = place === "own" ? "我的电话 13800000000" : "我的电话 [手机号]";
        timeline.add(place, message({ id: "a", mine: true, client_id: "c1", text }));
      }
      expect(texts(timeline)).toEqual(["我的电话 13800000000"]);
      expect(timeline.entries()[0]).toMatchObject({ key: "say:c1", place: "room" });
    }
  });

  it("gives an offer whose state changed its old seat", () => {
    const timeline = new Timeline();
    timeline.add("private", offer());
    timeline.add("private", message({ id: "e10", at: at(10) }));
    expect(timeline.add("private", offer({ id: "e11", state: "accepted" }))).toBe(false);
    expect(timeline.entries().map(({ event }) => event.kind)).toEqual(["offer", "message"]);
    expect(timeline.entries()[0]?.event).toMatchObject({ state: "accepted" });
  });

  it("forgets one place and takes it in again", () => {
    const timeline = new Timeline();
    timeline.add("room", message({ id: "a", text: "旧" }));
    timeline.add("own", invitation("t", 1));
    timeline.clear(["room"]);
    expect(texts(timeline)).toEqual(["invitation"]);
    expect(timeline.add("room", message({ id: "a", text: "旧" }))).toBe(true);
  });
});

describe("what is derived", () => {
  const entries = (...events: ChatEvent[]) => {
    const timeline = new Timeline();
    for (const event of events) timeline.add("private", event);
    return timeline.entries();
  };
  const buttons = ["接受", "不接受"].map((title) => ({ title, token: `signed-${title}` }));

  it("lets only the latest quick replies be pressed", () => {
    const list = entries(
      message({ id: "q1", author: "bot", buttons }),
      message({ id: "q2", author: "bot", buttons }),
    );
    const states = replyStates(list, []);
    expect(states.get("q1")).toEqual({ live: false, chosen: null });
    expect(states.get("q2")).toEqual({ live: true, chosen: null });
  });

  it("lets them be pressed once, on the way and after", () => {
    const asked = message({ id: "q1", author: "bot", buttons });
    const chosen = { live: false, chosen: "接受" };
    expect(replyStates(entries(asked), ["接受"]).get("q1")).toEqual(chosen);
    const said = message({ id: "s1", mine: true, text: "接受" });
    expect(replyStates(entries(asked, said), []).get("q1")).toEqual(chosen);
  });

  it("knows an overtaken progress card, the last invitation and whether it is over", () => {
    const step = (id: string, title: string): ChatEvent => ({
      id,
      kind: "progress",
      at: at(1),
      title,
      text: "",
      state: "running",
    });
    expect(overtaken(entries(step("p1", "换房"), step("p2", "晚餐"), step("p3", "换房")))).toEqual(
      new Set(["p1"]),
    );
    expect(lastInvitation(entries(invitation("t1", 1), invitation("t2", 2)))?.token).toBe("t2");
    const end: ChatEvent = { id: "x", kind: "closed", at: at(5), text: "已结束" };
    expect(closing(entries(end))?.text).toBe("已结束");
    expect(closing(entries(end, message({ id: "y", at: at(6) })))).toBeNull();
  });

  it("keeps invitations out of the log and what is on its way at its end", () => {
    const list = entries(invitation("t1", 1), message({ id: "a" }));
    const waiting = { id: "c1", text: "在吗", at: at(2), state: "sending" as const };
    expect(itemsOf(list, [waiting]).map((item) => item.key)).toEqual(["event:a", "say:c1"]);
  });
});
