/**
 * How many bytes per second may pass, by the time of day: `2M`, or `08:00-18:00=1M,otherwise=10M`. Rules are tried in order; the first whose
 * hours it is (local time) holds, `otherwise` holds always. Where no rule holds there is no limit.
 */

/** Plain data, so that it can be sent to a worker thread. */
export interface RateRule {
  /** Minutes since midnight; undefined: always. A rule that begins later than it ends goes past midnight. */
  readonly hours?: { readonly fromMinute: number; readonly toMinute: number };
  /** Bytes per second; undefined: no limit. */
  readonly bytesPerSecond?: number;
}

export type RateSchedule = readonly RateRule[];

/** With less, servers would take the silence between two pieces of a transfer for the end of the connection. */
export const MIN_BYTES_PER_SECOND = 4096;

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['K', 1024],
  ['M', 1024 ** 2],
  ['G', 1024 ** 3],
]);
const MAX_RULES = 100;

/** Text that is no schedule; the message says what is wrong with it. */
export class RateSyntaxError extends Error {}

/** @throws RateSyntaxError */
export function parseRateSchedule(text: string): RateSchedule {
  const rules = text.split(',').map((rule) => parseRule(rule.trim()));
  if (rules.length > MAX_RULES) throw new RateSyntaxError(`more than ${MAX_RULES} rules`);
  return rules;
}

/** Bytes per second at a time; Infinity without a limit. */
export function rateAt(schedule: RateSchedule, date: Date): number {
  const minute = date.getHours() * 60 + date.getMinutes();
  const rule = schedule.find(({ hours }) => hours === undefined || isWithin(hours, minute));
  return rule?.bytesPerSecond ?? Infinity;
}

function isWithin({ fromMinute, toMinute }: { readonly fromMinute: number; readonly toMinute: number }, minute: number): boolean {
  return fromMinute < toMinute ? fromMinute <= minute && minute < toMinute : fromMinute <= minute || minute < toMinute;
}

function parseRule(rule: string): RateRule {
  const equals = rule.indexOf('=');
  if (equals === -1) return parseRate(rule);
  const when = rule.slice(0, equals).trim();
  const rate = parseRate(rule.slice(equals + 1).trim());
  return when === 'otherwise' ? rate : { hours: parseHours(when), ...rate };
}

function parseRate(text: string): Pick<RateRule, 'bytesPerSecond'> {
  if (text === 'unlimited') return {};
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([KMG]?)$/i.exec(text) ?? [];
  if (number === '') throw new RateSyntaxError(`"${text}" is no rate: expected bytes per second, as in 500K, 2M, 1.5G, or unlimited`);
  const bytesPerSecond = Math.round(Number(number) * (UNITS.get(unit.toUpperCase()) ?? Number.NaN));
  if (!(bytesPerSecond >= MIN_BYTES_PER_SECOND && bytesPerSecond <= Number.MAX_SAFE_INTEGER)) {
    throw new RateSyntaxError(`a rate of ${text} is not possible: the lowest is ${MIN_BYTES_PER_SECOND / 1024}K`);
  }
  return { bytesPerSecond };
}

function parseHours(text: string): NonNullable<RateRule['hours']> {
  const [, fromHour, fromMinute, toHour, toMinute] = /^(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)$/.exec(text) ?? [];
  const from = minuteOfDay(fromHour, fromMinute);
  const to = minuteOfDay(toHour, toMinute);
  if (from === undefined || to === undefined || from === to) {
    throw new RateSyntaxError(`"${text}" are no hours: expected two different times, as in 08:00-18:00, or otherwise`);
  }
  return { fromMinute: from, toMinute: to };
}

function minuteOfDay(hour: string | undefined, minute: string | undefined): number | undefined {
  const total = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && total <= 24 * 60 ? total : undefined;
}
