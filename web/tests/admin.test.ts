import { describe, expect, it } from "vitest";
import { accountState, changesOf, freshPassword, inOrder } from "../src/staff/admin/accounts";
import { actWords, detailWords, targetWords } from "../src/staff/admin/audit";
import { angerRange, example, matching, unknownVariables } from "../src/staff/admin/canned";
import { passwordTrouble } from "../src/staff/admin/password";
import { agentsInOrder, hourWords, lasting, load } from "../src/staff/board/board";
import { urgentRows } from "../src/staff/board/urgent";
import { whyNot } from "../src/staff/roles";
import { staffRoutes } from "../src/staffRoutes";
import type { Account, Act, Canned, Clock, Row } from "../src/wire/staff";

const NOW = new Date("2026-11-22T04:00:00Z");
const at = (minutes: number): string => new Date(NOW.getTime() + minutes * 60_000).toISOString();

function account(parts: Partial<Account> = {}): Account {
  return {
    id: 1,
    login: "xiaohe",
    name: "小何",
    role: "agent",
    business: "lanting",
    skills: ["hotel", "shop"],
    capacity: 6,
    presence: "online",
    totp: false,
    must_change: false,
    locked_until: null,
    disabled_at: null,
    created_at: at(-999),
    ...parts,
  };
}

describe("accounts", () => {
  it("send only what was changed, so that no session ends for nothing", () => {
    const before = account();
    const same = { name: "小何", role: "agent", business: "lanting", skills: ["shop", "hotel"], capacity: 6 } as const;
    expect(changesOf(before, { ...same, skills: [...same.skills] })).toEqual({});
    expect(changesOf(before, { ...same, skills: [], business: null, role: "manager" })).toEqual({
      role: "manager",
      business: null,
      skills: [],
    });
  });

  it("say the weightiest thing about themselves", () => {
    const states = [
      account({ disabled_at: at(-1), locked_until: at(5), must_change: true }),
      account({ locked_until: at(5), must_change: true }),
      account({ locked_until: at(-5), must_change: true }),
      account({ locked_until: at(-5) }),
    ].map((one) => accountState(one, NOW));
    expect(states).toEqual(["disabled", "locked", "must_change", "fine"]);
  });

  it("stand with those in use first", () => {
    const list = [account({ id: 1, disabled_at: at(-1), name: "阿" }), account({ id: 2, name: "周" })];
    expect(inOrder(list).map((one) => one.id)).toEqual([2, 1]);
  });

  it("get a password by chance that is long enough and easy to read aloud", () => {
    const made = Array.from({ length: 200 }, freshPassword);
    expect(new Set(made).size).toBe(200);
    for (const one of made) {
      expect(passwordTrouble(one, "xiaohe")).toBeNull();
      expect(one).not.toMatch(/[0O1lI]/);
    }
  });
});

describe("a new password", () => {
  it("is long, and not the login", () => {
    expect(passwordTrouble("short", "xiaohe")).toContain("10");
    expect(passwordTrouble("Xiaohe2026", "xiaohe2026")).toContain("账号");
    expect(passwordTrouble("十个字的密码也可以用啊", "xiaohe")).toBeNull();
  });
});

describe("the audit log", () => {
  it("says changes of accounts as what was and what is", () => {
    const detail = { role: ["agent", "supervisor"], skills: [["shop"], ["shop", "hotel"]], disabled: [false, true] };
    expect(detailWords(detail, "account_changed")).toBe(
      "角色：客服 → 主管；擅长：网上商城 → 网上商城、酒店住宿；停用：否 → 是",
    );
  });

  it("writes sums as yuan, and owners in words", () => {
    expect(detailWords({ worth_fen: 1_550, from: "queue", to: "staff:3" }, "offer")).toBe(
      "合计：15.50元；从：排队；到：账号 3",
    );
  });

  it("says values in words where they have some", () => {
    expect(detailWords({ second: "recovery_code" })).toBe("第二步：恢复码");
    expect(detailWords({ wrong: "code", locked_until: null })).toBe("错在：动态码；锁定到：无");
    expect(detailWords({ fault: "ours", harm: "plans" }, "facts")).toBe("责任：我们的责任；影响：打乱安排");
    expect(detailWords({ channel: "phone", order: "not_matched" })).toBe("渠道：电话；订单：对不上");
    expect(detailWords({ request: "q1", asked_by: 3 })).toBe("申请：q1；申请人：账号 3");
    expect(detailWords({ presence: "busy", colour: "blue", skills: [] })).toBe("状态：忙碌；颜色：蓝；擅长：全部");
  });

  it("says moments as a clock does", () => {
    expect(detailWords({ until: at(0) })).toMatch(/^到：.*\d{2}:\d{2}$/);
    expect(detailWords({ until: at(0) })).not.toContain("T");
  });

  it("never shows a raw object, and keeps what it does not know", () => {
    expect(detailWords({ before: { role: "agent" }, odd: null })).toBe("原来：（角色：客服）；odd：无");
    expect(actWords("something_new")).toBe("something_new");
  });

  it("leads to conversations, and to nothing else", () => {
    expect(targetWords("staff:3")).toEqual({ words: "账号 3", conversation: null });
    expect(targetWords("label:4").conversation).toBeNull();
    expect(targetWords("Zk3xw").conversation).toBe("Zk3xw");
    expect(targetWords(null)).toEqual({ words: "", conversation: null });
  });
});

describe("canned replies", () => {
  const reply = (parts: Partial<Canned>): Canned => ({
    id: 1,
    business: null,
    industry: null,
    anger_least: 0,
    anger_most: 3,
    title: "问好",
    text: "{顾客}您好",
    shortcut: null,
    uses: 0,
    ...parts,
  });

  it("know their variables", () => {
    expect(unknownVariables("{顾客}，{事情}在{时限}办好，{ 客服 }")).toEqual([" 客服 "]);
    expect(unknownVariables("{价格}{价格}{}")).toEqual(["价格", ""]);
    expect(example("{顾客}您好，我是{客服}，{价格}")).toBe("林一您好，我是小何，{价格}");
  });

  it("are found by title, words and shortcut, whatever the case", () => {
    const all = [reply({ id: 1 }), reply({ id: 2, title: "催", text: "仓库 ABC", shortcut: "ck" })];
    expect(matching(all, "abc").map((one) => one.id)).toEqual([2]);
    expect(matching(all, "CK").map((one) => one.id)).toEqual([2]);
    expect(matching(all, "  ")).toHaveLength(2);
  });

  it("say for which anger they are", () => {
    expect([angerRange(0, 3), angerRange(2, 2), angerRange(1, 3)]).toEqual([
      "任何情绪",
      "生气",
      "不满到愤怒",
    ]);
  });
});

describe("the board", () => {
  it("says lengths of time in words", () => {
    expect([0, 20, 60, 3_599, 3_600, 5_400, 90_000].map(lasting)).toEqual([
      "没有",
      "不到1分钟",
      "1分钟",
      "59分钟",
      "1小时",
      "1小时30分",
      "1天1小时",
    ]);
  });

  it("names hours as the desk gives them", () => {
    expect(["2026-11-22T09:00:00+08:00", "09:00", "0"].map(hourWords)).toEqual(["9时", "9时", "0时"]);
  });

  it("puts who needs help first", () => {
    const agent = (id: number, parts: object) => ({
      id,
      name: `同事${id}`,
      role: "agent" as const,
      presence: "online" as const,
      open: 1,
      capacity: 6,
      skills: [],
      red: 0,
      longest_silence_seconds: 0,
      ...parts,
    });
    const list = [
      agent(1, { open: 0 }),
      agent(2, { presence: "offline" }),
      agent(3, { longest_silence_seconds: 60 }),
      agent(4, { red: 1, presence: "away" }),
    ];
    expect(agentsInOrder(list).map((one) => one.id)).toEqual([4, 3, 2, 1]);
    expect([load({ open: 3, capacity: 6 }), load({ open: 9, capacity: 6 }), load({ open: 1, capacity: 0 })]).toEqual([
      0.5, 1, 1,
    ]);
  });

  const clock = (due: number, warn: number): Clock => ({
    kind: "first_response",
    state: "active",
    due_at: at(due),
    warn_at: at(warn),
    paused: false,
    hits: 0,
    misses: 0,
  });
  const row = (id: string, parts: Partial<Row>): Row =>
    ({ id, owner: "queue", anger: 0, priority: 0, safety: false, closed_at: null, clock: null, ...parts }) as Row;

  it("lists danger, then missed and red clocks, then the angry in the queue, and nothing else", () => {
    const rows = [
      row("angry", { anger: 2 }),
      row("red", { owner: "staff:3", clock: clock(5, -1) }),
      row("calm", {}),
      row("theirs", { owner: "staff:3", anger: 3, clock: clock(60, 50) }),
      row("bot", { owner: "bot", anger: 3 }),
      row("over", { clock: clock(-2, -9) }),
      row("danger", { safety: true }),
      row("closed", { safety: true, closed_at: at(-1) }),
    ];
    expect(urgentRows(rows, NOW.getTime(), 9).map((one) => one.id)).toEqual(["danger", "over", "red", "angry"]);
    expect(urgentRows(rows, NOW.getTime(), 2)).toHaveLength(2);
  });
});

describe("pages", () => {
  it("say who may open them", () => {
    expect(whyNot("audit", "agent")).toContain("经理、管理员才有。您的账号是客服");
  });

  it("each name what they need; the own account needs nothing", () => {
    const needs = Object.fromEntries(staffRoutes.map((one) => [one.name, one.meta?.act]));
    const expected: Record<string, Act | undefined> = {
      staff: "read",
      "staff-board": "oversee",
      "staff-insights": "insights",
      "staff-requests": "handle",
      "staff-drills": "read",
      "staff-incidents": "handle",
      "staff-words": "wording",
      "staff-accounts": "accounts",
      "staff-audit": "audit",
      "staff-privacy": "privacy",
      "staff-me": undefined,
    };
    expect(needs).toEqual(expected);
  });
});
