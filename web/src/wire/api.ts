import type {
  Crossing,
  CrossingCode,
  Customer,
  Invitation,
  OwnConversation,
  Picture,
  PrivateConversation,
  Room,
  RoomState,
  ServiceStatus,
} from "./contract";
import type { OwnData } from "./privacy";
import type { Survey, SurveyAnswers } from "./survey";

const TIMEOUT_MS = 10_000;

const part = encodeURIComponent;

/** An answer of the desk that is not a success, or no answer at all (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** The whole answer: some refusals say more than their sentence. */
    readonly answer: unknown = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const WORDS: Record<number, string> = {
  0: "暂时连不上服务，请检查网络后再试。",
  401: "登录已失效，请重新登录。",
  403: "没有权限做这件事。",
  404: "没有找到。",
  409: "情况已经变了，请看最新状态。",
  410: "已经过期。",
  429: "操作太快了，请稍等片刻。",
};

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

async function call<T>(
  method: Method,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<T> {
  let response: Response;
  let raw: string;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: {
        Accept: "application/json",
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    raw = await response.text();
  } catch {
    // No connection, or the time limit: to the reader both are "cannot reach the service".
    throw new ApiError(0, "unreachable", WORDS[0] ?? "");
  }
  return read<T>(response.status, raw);
}

/** Reads what the desk answered; throws what is not a success. */
function read<T>(status: number, raw: string): T {
  const ok = status >= 200 && status < 300;
  let answer: unknown = null;
  try {
    answer = raw === "" ? null : JSON.parse(raw);
  } catch {
    if (ok) throw new ApiError(502, "bad_answer", "服务的回答看不懂，请稍后再试。");
  }
  if (!ok) {
    const error = (answer as { error?: { code?: string; message?: string } } | null)?.error;
    throw new ApiError(
      status,
      error?.code ?? `http_${status}`,
      error?.message ?? WORDS[status] ?? "服务出了点问题，请稍后再试。",
      answer,
    );
  }
  return answer as T;
}

const UPLOAD_TIMEOUT_MS = 180_000;

export interface SentPicture {
  picture: Picture;
  repeated: boolean;
}

/**
 * Sends a picture; `XMLHttpRequest`, because `fetch` cannot say how far it is.
 *
 * @param path with an id made by this page; sent again under it, it is the same picture.
 * @param progress is told the share that has left, between 0 and 1.
 */
function upload(
  path: string,
  content: Blob,
  progress: (share: number) => void,
  headers: Record<string, string> = {},
): Promise<SentPicture> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const lost = (): void => reject(new ApiError(0, "unreachable", WORDS[0] ?? ""));
    request.open("POST", path);
    request.timeout = UPLOAD_TIMEOUT_MS;
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    };
    request.onload = () => {
      try {
        resolve(read(request.status, request.responseText));
      } catch (error) {
        reject(error as ApiError);
      }
    };
    request.onerror = request.ontimeout = request.onabort = lost;
    request.send(content);
  });
}

export const customerApi = {
  rooms: () => call<{ rooms: Room[]; status: ServiceStatus }>("GET", "/api/rooms"),
  /** Makes or keeps the session; the cookie is set by the desk. */
  session: (business: string, name?: string, identity?: string) =>
    call<{ customer: Customer }>("POST", "/api/session", {
      business,
      ...(name ? { name } : {}),
      ...(identity ? { identity } : {}),
    }),
  room: (room: string) => call<RoomState>("GET", `/api/rooms/${part(room)}`),
  invitation: (token: string) => call<Invitation>("GET", `/api/invitations/${part(token)}`),
  enter: (token: string) =>
    call<{ conversation: string }>("POST", `/api/invitations/${part(token)}`, {}),
  renew: (token: string) =>
    call<{ token: string }>("POST", `/api/invitations/${part(token)}/renew`, {}),
  conversation: (id: string) => call<PrivateConversation>("GET", `/api/conversations/${part(id)}`),
  sendPicture: (
    conversation: string,
    id: string,
    content: Blob,
    progress: (share: number) => void,
  ) =>
    upload(
      `/api/conversations/${part(conversation)}/pictures?client_id=${part(id)}`,
      content,
      progress,
    ),
  codeOfInvitation: (token: string) =>
    call<CrossingCode>("POST", `/api/invitations/${part(token)}/wechat`, {}),
  codeOfConversation: (id: string) =>
    call<CrossingCode>("POST", `/api/conversations/${part(id)}/wechat`, {}),
  crossing: (id: string) => call<Crossing>("GET", `/api/crossings/${part(id)}`),
  link: (secret: string) =>
    call<{ business: string; conversation: string | null; source?: string; other?: boolean }>(
      "GET",
      `/api/wechat-links/${part(secret)}`,
    ),
  /** @param join what was said in this browser before is theirs as well. */
  openLink: (secret: string, join = false) =>
    call<{ conversation: string }>(
      "POST",
      `/api/wechat-links/${part(secret)}`,
      join ? { join } : {},
    ),
  identities: (business: string) =>
    call<{ channels: string[] }>("GET", `/api/my/identities?business=${part(business)}`),
  askCode: (business: string) =>
    call<{ code: string; expires: string }>("POST", "/api/my/codes", { business }),
  useCode: (business: string, code: string) =>
    call<{ channel: string; new: boolean }>("POST", "/api/my/codes/use", { business, code }),
  survey: (token: string) => call<Survey>("GET", `/api/surveys/${part(token)}`),
  answerSurvey: (token: string, answers: SurveyAnswers) =>
    call<{ state: "done"; repeated: boolean }>("POST", `/api/surveys/${part(token)}`, answers),
  ownData: (business: string) => call<OwnData>("GET", `/api/my/data?business=${part(business)}`),
  exportData: (business: string) =>
    call<{ url: string }>("POST", "/api/my/data/export", { business }),
  eraseData: (business: string, confirm: string) =>
    call<OwnData>("POST", "/api/my/data/erase", { business, confirm }),
  keepData: (business: string) => call<OwnData>("POST", "/api/my/data/keep", { business }),
  mine: () => call<{ conversations: OwnConversation[] }>("GET", "/api/my/conversations"),
};

/** Where a picture is read: by its customer, or by staff. */
export function picturePath(conversation: string, picture: string, staff = false): string {
  const root = staff ? "/api/staff" : "/api";
  return `${root}/conversations/${part(conversation)}/pictures/${part(picture)}`;
}

/** Of the session of staff; a page has one. */
let csrf = "";

/** Keeps the CSRF token that login or `me` gave. */
export function keepCsrf(token: string): void {
  csrf = token;
}

/** One call of the staff page; a change carries the CSRF token. */
export function staffRequest<T>(method: Method, path: string, body?: unknown): Promise<T> {
  return call(method, `/api/staff${path}`, body, method === "GET" ? {} : { "X-CSRF": csrf });
}

/** How long a file may take that the desk makes on asking. */
const FILE_TIMEOUT_MS = 60_000;

/** A file that the desk makes, with the name that it gives it. */
export async function staffDownload(
  path: string,
  method: "GET" | "POST" = "GET",
): Promise<{ name: string; content: Blob }> {
  let response: Response;
  let content: Blob;
  try {
    response = await fetch(`/api/staff${path}`, {
      method,
      headers: method === "GET" ? {} : { "X-CSRF": csrf },
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
    });
    content = await response.blob();
  } catch {
    throw new ApiError(0, "unreachable", WORDS[0] ?? "");
  }
  if (!response.ok) read(response.status, await content.text());
  const named = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("content-disposition") ?? "");
  return { name: decodeURIComponent(named?.[1] ?? "huixin"), content };
}

/** Sends a picture of staff's. */
export function staffUpload(
  path: string,
  content: Blob,
  progress: (share: number) => void,
): Promise<SentPicture> {
  return upload(`/api/staff${path}`, content, progress, { "X-CSRF": csrf });
}
