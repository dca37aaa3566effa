import type { Act, Presence, Role } from "../wire/staff";

/** What roles, rights and presences are called. */
export const ROLES: Record<Role, { name: string; does: string }> = {
  agent: { name: "客服", does: "接待顾客，在自己的权限内补救" },
  supervisor: { name: "主管", does: "另可看大盘和洞察、介入会话、改快捷回复" },
  manager: { name: "经理", does: "另可批准超出权限的补救、看审计" },
  trainer: { name: "训练师", does: "只看会话，顾客信息打码" },
  admin: { name: "管理员", does: "管账号、看审计和洞察，看不到会话" },
};

const ACTS: Record<Act, { name: string; roles: Role[] }> = {
  read: { name: "看会话", roles: ["agent", "supervisor", "manager", "trainer"] },
  handle: { name: "接待顾客", roles: ["agent", "supervisor", "manager"] },
  oversee: { name: "看大盘", roles: ["supervisor", "manager"] },
  wording: { name: "改快捷回复和标签", roles: ["supervisor", "manager"] },
  insights: { name: "看洞察", roles: ["supervisor", "manager", "admin"] },
  grant: { name: "批准申请", roles: ["manager"] },
  audit: { name: "看审计", roles: ["manager", "admin"] },
  privacy: { name: "处理个人信息", roles: ["manager", "admin"] },
  accounts: { name: "管账号", roles: ["admin"] },
};

export const PRESENCES: Record<Presence, { name: string; does: string }> = {
  online: { name: "在线", does: "会分到新会话" },
  busy: { name: "忙碌", does: "不再分新会话" },
  away: { name: "离开", does: "暂时不在" },
  offline: { name: "离线", does: "不接待" },
};

export const roleName = (role: string): string => ROLES[role as Role]?.name ?? role;
export const presenceName = (presence: string): string =>
  PRESENCES[presence as Presence]?.name ?? presence;

/** Why a page cannot be opened, in a sentence. */
export function whyNot(act: Act, role: string): string {
  const { name, roles } = ACTS[act];
  return `这一页要有“${name}”的权限，${roles.map(roleName).join("、")}才有。您的账号是${roleName(role)}。需要的话，请管理员调整。`;
}
