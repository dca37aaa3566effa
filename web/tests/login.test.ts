import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApp, h, nextTick, type App } from "vue";
import { createMemoryHistory, createRouter } from "vue-router";
import { ApiError } from "../src/wire/api";

const login = vi.fn<(name: string, password: string, code?: string) => Promise<void>>();

vi.mock("../src/staff/useSession", () => ({
  useSession: () => ({ login, farewell: { value: "登录已经结束" } }),
}));

let app: App;
let root: HTMLElement;

beforeEach(async () => {
  login.mockReset();
  const { default: LoginForm } = await import("../src/staff/LoginForm.vue");
  root = document.createElement("div");
  document.body.append(root);
  app = createApp({ render: () => h(LoginForm) });
  const routes = [{ path: "/", component: { render: () => null } }];
  app.use(createRouter({ history: createMemoryHistory(), routes }));
  app.mount(root);
});

afterEach(() => {
  app.unmount();
  document.body.replaceChildren();
});

const get = (id: string): HTMLInputElement | null => root.querySelector(`[data-testid=${id}]`);
const failure = (): string => get("staff-login-failure")?.textContent ?? "";

async function type(id: string, words: string): Promise<void> {
  const field = get(id);
  if (!field) throw new Error(`no ${id}`);
  field.value = words;
  field.dispatchEvent(new Event("input"));
  await nextTick();
}

async function send(): Promise<void> {
  get("staff-login")?.dispatchEvent(new Event("submit", { cancelable: true }));
  for (let turn = 0; turn < 4; turn += 1) await nextTick();
}

async function withPassword(): Promise<void> {
  await type("staff-login-name", " xiaohe ");
  await type("staff-login-password", "secret");
  await send();
}

describe("the login form", () => {
  it("says why one is here, and asks for both fields", async () => {
    expect(get("farewell")?.textContent).toContain("登录已经结束");
    await send();
    expect(failure()).toContain("请填写账号和密码");
    expect(login).not.toHaveBeenCalled();
  });

  it("logs in without a code where none is asked for", async () => {
    login.mockResolvedValue();
    await withPassword();
    expect(login).toHaveBeenCalledExactlyOnceWith("xiaohe", "secret", undefined);
  });

  it("forgets the password after a wrong one, and keeps it without an answer", async () => {
    login.mockRejectedValueOnce(new ApiError(0, "unreachable", "连不上"));
    await withPassword();
    expect(failure()).toBe("连不上");
    expect(get("staff-login-password")?.value).toBe("secret");
    login.mockRejectedValueOnce(new ApiError(401, "bad_login", "账号或密码不对"));
    await send();
    expect(failure()).toBe("账号或密码不对");
    expect(get("staff-login-password")?.value).toBe("");
  });

  it("asks for the code once the password was right, and sends both", async () => {
    login.mockRejectedValueOnce(new ApiError(401, "code_needed", "请填验证码"));
    await withPassword();
    expect(failure()).toBe("");
    expect(get("staff-login-password")).toBeNull();
    login.mockRejectedValueOnce(new ApiError(401, "bad_code", "验证码不对"));
    await type("staff-login-code", "111 111");
    await send();
    expect(login).toHaveBeenLastCalledWith("xiaohe", "secret", "111111");
    expect(failure()).toBe("验证码不对");
    expect(get("staff-login-code")?.value).toBe("");
    login.mockResolvedValueOnce();
    await type("staff-login-code", "222222");
    await send();
    expect(login).toHaveBeenLastCalledWith("xiaohe", "secret", "222222");
  });

  it("begins anew when the account is locked over wrong codes", async () => {
    login.mockRejectedValueOnce(new ApiError(401, "code_needed", "请填验证码"));
    await withPassword();
    login.mockRejectedValueOnce(new ApiError(401, "bad_login", "暂时锁定"));
    await type("staff-login-code", "111111");
    await send();
    expect(get("staff-login-code")).toBeNull();
    expect(failure()).toBe("暂时锁定");
  });

  it("sends once, however often it is pressed", async () => {
    login.mockReturnValue(new Promise(() => undefined));
    await withPassword();
    await send();
    expect(login).toHaveBeenCalledOnce();
  });
});
