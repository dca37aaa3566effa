import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Me, Notice } from "../src/wire/staff";

type Session = ReturnType<(typeof import("../src/staff/useSession"))["useSession"]>;

const ME: Me = {
  staff: {
    id: 7,
    login: "xiaohe",
    name: "小何",
    role: "agent",
    may: ["read", "handle"],
    business: "lanting",
    presence: "offline",
    capacity: 6,
    totp: false,
    must_change: false,
  },
  csrf: "token",
  businesses: [{ id: "lanting", name: "岚庭酒店", industry: "hotel" }],
  calls: false,
};

let session: Session;
let ApiError: (typeof import("../src/wire/api"))["ApiError"];
let sent: { method: string; path: string; body: unknown; csrf: string | null }[];
let answers: Record<string, [status: number, body: unknown]>;

function notice(id: number, read: string | null = null): Notice {
  return { id, kind: "mention", conversation: "k1", text: `第${id}条`, at: "2026-11-22T04:00:00Z", read_at: read };
}

beforeEach(async () => {
  localStorage.clear();
  sent = [];
  answers = { "GET /me": [200, ME], "POST /login": [200, ME], "POST /logout": [204, null] };
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    const method = init.method ?? "GET";
    const short = path.replace("/api/staff", "");
    const body = init.body ? (JSON.parse(init.body as string) as unknown) : undefined;
    sent.push({ method, path: short, body, csrf: new Headers(init.headers).get("X-CSRF") });
    const [status, answer] = answers[`${method} ${short}`] ?? [200, body];
    return new Response(status === 204 ? null : JSON.stringify(answer), { status });
  });
  // One session stands for the whole page: each test is a page loaded anew.
  vi.resetModules();
  ({ ApiError } = await import("../src/wire/api"));
  session = (await import("../src/staff/useSession")).useSession();
});

afterEach(() => vi.unstubAllGlobals());

const refuse = (status: number, code: string, message = "不行"): [number, unknown] => [
  status,
  { error: { code, message } },
];
const presences = (): unknown[] =>
  sent.filter((one) => one.path === "/me/presence").map((one) => one.body);

describe("the session", () => {
  it("knows who is logged in, and what they may", async () => {
    await session.begin();
    expect(session.me.value?.name).toBe("小何");
    expect([session.may("handle"), session.may("oversee")]).toEqual([true, false]);
    // A page that is only opened changes nothing.
    expect(sent.map((one) => one.method)).toEqual(["GET"]);
  });

  it("asks for a login when there is nobody, without a reason", async () => {
    answers["GET /me"] = refuse(401, "not_logged_in");
    await session.begin();
    expect(session.me.value).toBeNull();
    expect(session.farewell.value).toBe("");
  });

  it("does not take a desk that is away for a logout", async () => {
    answers["GET /me"] = refuse(503, "http_503", "正在启动");
    await session.begin();
    expect(session.me.value).toBeUndefined();
    expect(session.trouble.value).toBe("正在启动");
  });

  it("goes online at login, with the CSRF token that came with it", async () => {
    await session.login("xiaohe", "secret");
    expect(presences()).toEqual([{ presence: "online" }]);
    expect(sent.at(-1)?.csrf).toBe("token");
    expect(session.me.value?.presence).toBe("online");
  });

  it("goes where the member chose to be last time", async () => {
    await session.login("xiaohe", "secret");
    await session.setPresence("away");
    await session.logout();
    sent = [];
    await session.login("xiaohe", "secret");
    expect(presences()).toEqual([{ presence: "away" }]);
  });

  it("leaves the presence alone for who handles nothing, or has to change the password", async () => {
    answers["POST /login"] = [200, { ...ME, staff: { ...ME.staff, may: ["accounts"] } }];
    await session.login("root", "secret");
    answers["POST /login"] = [200, { ...ME, staff: { ...ME.staff, must_change: true } }];
    await session.login("xiaohe", "secret");
    expect(presences()).toEqual([]);
  });

  it("says why when it has ended, and tells who has to forget", async () => {
    const forgotten = vi.fn();
    session.onLeave(forgotten);
    await session.begin();
    session.heardNotice(notice(1));
    expect(session.refused(new ApiError(401, "not_logged_in", "请先登录"))).toBe(true);
    expect(session.me.value).toBeNull();
    expect(session.farewell.value).toContain("请重新登录");
    expect(forgotten).toHaveBeenCalledOnce();
    expect([session.notices.value.length, session.unreadNotices.value]).toEqual([0, 0]);
    await session.login("xiaohe", "secret");
    expect(session.farewell.value).toBe("");
  });

  it("asks for a new password when the desk does", async () => {
    await session.begin();
    expect(session.refused(new ApiError(403, "must_change", "请先换密码"))).toBe(true);
    expect(session.me.value?.must_change).toBe(true);
    expect(session.refused(new ApiError(403, "forbidden", "没有权限"))).toBe(false);
  });

  it("ends before a reconnect when nobody is logged in any more", async () => {
    await session.begin();
    expect(await session.revive()).toBe(true);
    answers["GET /me"] = refuse(503, "http_503");
    await expect(session.revive()).rejects.toThrow();
    expect(session.me.value?.id).toBe(7);
    answers["GET /me"] = refuse(401, "not_logged_in");
    expect(await session.revive()).toBe(false);
    expect(session.me.value).toBeNull();
  });

  it("forgets what one member saw when another has logged in elsewhere in this browser", async () => {
    const forgotten = vi.fn();
    await session.begin();
    session.onLeave(forgotten);
    answers["GET /me"] = [200, { ...ME, staff: { ...ME.staff, id: 8, name: "老郑" } }];
    await session.revive();
    expect(forgotten).toHaveBeenCalledOnce();
    expect(session.me.value?.name).toBe("老郑");
  });

  it("leaves without a connection too, and says that the login stands", async () => {
    await session.begin();
    answers["POST /logout"] = refuse(503, "http_503");
    await session.logout();
    expect(session.me.value).toBeNull();
    expect(session.farewell.value).toContain("再退出一次");
  });
});

describe("notices", () => {
  beforeEach(async () => {
    answers["GET /me/notices"] = [200, { notices: [notice(2), notice(3), notice(1, "x")], unread: 2 }];
    answers["POST /me/notices/read"] = [204, null];
    await session.begin();
    await session.readNotices();
  });

  it("stand newest first, each once", () => {
    session.heardNotice(notice(4));
    session.heardNotice(notice(4));
    expect(session.notices.value.map((one) => one.id)).toEqual([4, 3, 2, 1]);
    expect(session.unreadNotices.value).toBe(3);
  });

  it("are read up to what was shown", async () => {
    const reading = session.noticesSeen();
    session.heardNotice(notice(4));
    await reading;
    expect(sent.at(-1)?.body).toEqual({ up_to: 3 });
    expect(session.unreadNotices.value).toBe(1);
    expect(session.notices.value.filter((one) => !one.read_at).map((one) => one.id)).toEqual([4]);
  });
});
