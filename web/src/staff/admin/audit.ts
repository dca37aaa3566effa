import { saidAt } from "../../chat/time";
import { industryName } from "../../parts/industries";
import { channelWords } from "../channels";
import { LABEL_COLOURS } from "../labelColours";
import { presenceName, roleName } from "../roles";
import { factChoices, factName, factWords, outcomeWords, stageWords, yuan } from "../words";

/** What acts of staff are called in the audit log. */
const ACTS: Record<string, string> = {
  login: "登录",
  login_failed: "登录失败",
  logout: "退出",
  password_changed: "换密码",
  totp_on: "打开双重验证",
  totp_off: "关闭双重验证",
  presence: "改状态",
  account_made: "新建账号",
  account_changed: "改账号",
  account_reset: "重设账号",
  assign: "自动分配",
  take: "接手",
  transfer: "转交",
  step_in: "介入",
  give_back: "交还机器人",
  silent: "迟迟未回，收回",
  close: "结案",
  snooze: "稍后处理",
  answer: "回复顾客",
  picture: "发图片",
  note: "写备注",
  whisper: "悄悄话",
  labels: "改会话标签",
  facts: "记情况",
  offer: "提出补救",
  accept_offer: "记下顾客同意",
  refuse_offer: "记下顾客不要",
  withdraw_offer: "收回方案",
  request: "申请补救",
  withdraw_request: "撤回申请",
  grant: "批准申请",
  refuse_request: "驳回申请",
  remedy_retried: "重新办理",
  remedy_done: "已人工办妥",
  promise_sent_on: "补救已转交去办",
  promise_done: "补救已办好",
  promise_moved: "改补救的时间",
  prove_order: "核实订单",
  place: "记是什么事",
  enter_case: "手工建案",
  merge_cases: "合并案子",
  split_case: "拆分案子",
  undo_merge: "撤销合并案子",
  undo_split: "撤销拆分案子",
  undo_person_join: "分开合并的账号",
  heard: "记下顾客的话",
  call: "视频通话",
  wishes: "改顾客心意",
  gesture_done: "心意已办妥",
  data_asked: "要求删除资料",
  erase_data: "删除顾客资料",
  export_data: "导出顾客资料",
  refuse_data: "驳回删除资料",
  retention: "按期限清理",
  follow_up_plan: "安排回访",
  follow_up_cancel: "取消回访",
  follow_up_result: "记回访结果",
  canned_add: "新建快捷回复",
  canned_change: "改快捷回复",
  canned_remove: "删除快捷回复",
  label_add: "新建标签",
  label_remove: "删除标签",
  see_alert: "看过预警",
  report_order_event: "报订单出的事",
  incident_open: "建同类事件",
  incident_join: "归入同类事件",
  incident_leave: "移出同类事件",
  incident_confirm: "确认是一件事",
  incident_dismiss: "说不是一件事",
  incident_tell: "一起告诉顾客",
  incident_offer: "统一给补救",
  incident_close: "结束同类事件",
  export_insights: "导出洞察",
  action_done: "改进措施做完",
  drill_begin: "开始练习",
  drill_end: "结束练习",
  drill_scenario_add: "保存练习场景",
  drill_scenario_remove: "删除练习场景",
};

const FIELDS: Record<string, string> = {
  agreed: "顾客已同意",
  asked_by: "申请人",
  at: "接着从",
  before: "原来",
  after: "现在",
  beyond_fen: "超出政策",
  business: "商家",
  by: "经由",
  capacity: "接待上限",
  case: "案子",
  cause: "原因",
  change: "改动",
  channel: "渠道",
  colour: "颜色",
  conversations: "涉及会话",
  departs: "偏离政策",
  disabled: "停用",
  entries: "条数",
  erased: "细节已删除，见记录",
  failure: "什么事",
  force: "不等未完的事",
  form: "形式",
  from: "从",
  key: "编号",
  kind: "种类",
  item: "哪一件",
  kinds: "补救",
  labels: "标签",
  locked_until: "锁定到",
  login: "账号",
  memo: "留言",
  mentions: "提到",
  message: "消息",
  minutes: "分钟",
  name: "名字",
  no_follow_up: "不要回访",
  no_marketing: "不要推荐",
  note: "备注",
  offer: "方案",
  outcome: "结果",
  password: "密码",
  picture: "图片",
  order: "订单",
  policy_fen: "政策给",
  presence: "状态",
  rating: "打分",
  reason: "原因",
  remedy: "补救",
  repeated: "别处已补救过",
  request: "申请",
  reset_totp: "重设双重验证",
  right: "对得上",
  role: "角色",
  second: "第二步",
  skills: "擅长",
  title: "标题",
  to: "到",
  totp: "双重验证",
  until: "到",
  worth_fen: "合计",
  week: "周一是",
  wrong: "错在",
};

/** What values are called, whatever they stand under. */
const VALUES: Record<string, string> = {
  bot: "机器人",
  queue: "排队",
  command: "命令行",
};
/** The same for values that mean this only here. */
const OF_FIELD: Record<string, Record<string, string>> = {
  colour: LABEL_COLOURS,
  change: { add: "加了一条", drop: "删了一条" },
  order: { proved: "核实了", not_matched: "对不上", away: "订单系统没有回答" },
  second: { app: "动态码", totp: "动态码", recovery_code: "恢复码" },
  wrong: { password: "密码", code: "动态码" },
};

export const actWords = (act: string): string => ACTS[act] ?? act;
/** The acts that have a name, for the filter. */
export const KNOWN_ACTS: readonly [string, string][] = Object.entries(ACTS);

function valueWords(name: string, value: unknown): string {
  if (value === true) return "是";
  if (value === false) return "否";
  if (value === null || value === undefined) return "无";
  if (name === "skills" && Array.isArray(value) && !value.length) return "全部";
  if (Array.isArray(value)) return value.map((one) => valueWords(name, one)).join("、") || "无";
  if (typeof value === "object") {
    const inner = detailWords(value as Record<string, unknown>);
    return inner ? `（${inner}）` : "无";
  }
  if (name.endsWith("_fen") && typeof value === "number") return yuan(value);
  if (name === "asked_by") return `账号 ${String(value)}`;
  if (typeof value !== "string") return String(value);
  if (name === "role") return roleName(value);
  const known = OF_FIELD[name]?.[value];
  if (known) return known;
  if (name === "presence") return presenceName(value);
  if (name === "skills") return industryName(value);
  if (name === "outcome") return outcomeWords(value);
  if (name === "channel") return channelWords(value);
  if (name === "at") return stageWords(value);
  if (factChoices(name).length) return factWords(name, value);
  if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return saidAt(value, new Date());
  const account = /^staff:(\d+)$/.exec(value);
  return account ? `账号 ${account[1]}` : (VALUES[value] ?? value);
}

/**
 * What stands beside an act, in one line.
 *
 * @param act where it changes an account, each pair is what was and what is.
 */
export function detailWords(detail: Record<string, unknown>, act = ""): string {
  const changes = act === "account_changed" || act === "account_reset";
  return Object.entries(detail)
    .map(([name, value]) => {
      const head = FIELDS[name] ?? factName(name);
      if (changes && Array.isArray(value) && value.length === 2) {
        return `${head}：${valueWords(name, value[0])} → ${valueWords(name, value[1])}`;
      }
      return `${head}：${valueWords(name, value)}`;
    })
    .join("；");
}

/** Whose or what an act was done to: a conversation's id leads to it. */
export function targetWords(target: string | null): { words: string; conversation: string | null } {
  if (!target) return { words: "", conversation: null };
  const account = /^staff:(\d+)$/.exec(target);
  if (account) return { words: `账号 ${account[1]}`, conversation: null };
  const thing = /^(label|canned):(\d+)$/.exec(target);
  if (thing) return { words: `${thing[1] === "label" ? "标签" : "快捷回复"} ${thing[2]}`, conversation: null };
  return { words: target, conversation: target };
}
