/** The calls of the pages around the conversations: session, own account, accounts, audit, words, board. */
import { keepCsrf, staffRequest } from "./api";
import type {
  Account,
  AuditEntry,
  Board,
  Canned,
  Label,
  Me,
  Notice,
  Presence,
  RemedyRequest,
  Role,
} from "./staff";

function keep(me: Me): Me {
  keepCsrf(me.csrf);
  return me;
}

/** Who is logged in, and what they may change about themselves. */
export const ownApi = {
  /** @param code of the second factor, or one recovery code; asked for by `code_needed`. */
  login: async (login: string, password: string, code?: string): Promise<Me> =>
    keep(await staffRequest<Me>("POST", "/login", { login, password, ...(code ? { code } : {}) })),
  me: async (): Promise<Me> => keep(await staffRequest<Me>("GET", "/me")),
  logout: async (): Promise<void> => {
    await staffRequest("POST", "/logout", {});
    keepCsrf("");
  },
  changePassword: (old: string, fresh: string) =>
    staffRequest<void>("POST", "/me/password", { old, new: fresh }),
  beginTotp: (password: string) =>
    staffRequest<{ secret: string; uri: string; qr: string }>("POST", "/me/totp", { password }),
  confirmTotp: (code: string) =>
    staffRequest<{ recovery_codes: string[] }>("POST", "/me/totp/confirm", { code }),
  dropTotp: (password: string) => staffRequest<void>("DELETE", "/me/totp", { password }),
  setPresence: (presence: Presence) =>
    staffRequest<{ presence: Presence }>("PUT", "/me/presence", { presence }),
  notices: () => staffRequest<{ notices: Notice[]; unread: number }>("GET", "/me/notices"),
  noticesRead: (upTo: number) =>
    staffRequest<void>("POST", "/me/notices/read", { up_to: upTo }),
};

export interface NewAccount {
  login: string;
  name: string;
  role: Role;
  business: string | null;
  skills: string[];
  capacity: number;
  password: string;
}

export type AccountChange = Partial<
  Omit<NewAccount, "login"> & { disabled: boolean; reset_totp: boolean }
>;

export interface AccountList {
  accounts: Account[];
  businesses: { id: string; name: string; industry: string }[];
}

export const accountsApi = {
  all: () => staffRequest<AccountList>("GET", "/accounts"),
  add: (account: NewAccount) => staffRequest<Account>("POST", "/accounts", account),
  change: (id: number, change: AccountChange) =>
    staffRequest<Account>("PATCH", `/accounts/${id}`, change),
};

export interface AuditFilter {
  act?: string;
  login?: string;
  target?: string;
}

export const auditApi = {
  /** A hundred entries, newest first; those before an id where one is given. */
  entries: (filter: AuditFilter, before?: number) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) if (value) query.set(name, value as string);
    if (before !== undefined) query.set("before", String(before));
    const asked = query.toString();
    return staffRequest<{ entries: AuditEntry[]; more: boolean }>(
      "GET",
      asked ? `/audit?${asked}` : "/audit",
    );
  },
};

/** What a supervisor writes; the desk adds whose it is. */
export type CannedDraft = Omit<Canned, "id" | "uses" | "business">;

export const wordsApi = {
  replies: () => staffRequest<{ replies: Canned[] }>("GET", "/canned/all"),
  addReply: (draft: CannedDraft) => staffRequest<Canned>("POST", "/canned", draft),
  changeReply: (id: number, draft: CannedDraft) =>
    staffRequest<Canned>("PUT", `/canned/${id}`, draft),
  dropReply: (id: number) => staffRequest<void>("DELETE", `/canned/${id}`),
  labels: () => staffRequest<{ labels: Label[] }>("GET", "/labels"),
  addLabel: (label: { name: string; colour: string }) =>
    staffRequest<Label>("POST", "/labels", label),
  dropLabel: (id: number) => staffRequest<void>("DELETE", `/labels/${id}`),
};

export const boardApi = {
  board: () => staffRequest<Board>("GET", "/board"),
};

export const requestsApi = {
  all: () => staffRequest<{ requests: RemedyRequest[] }>("GET", "/requests"),
};
