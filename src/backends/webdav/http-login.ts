/**
 * User name and password as HTTP takes them: Digest (RFC 7616) where the server offers it, else Basic (RFC 7617). Nothing is sent before the
 * server has said what it wants.
 */
import { createHash, randomBytes } from 'node:crypto';

interface Challenge {
  readonly scheme: 'basic' | 'digest';
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** By the names of RFC 7616; the best first. */
const ALGORITHMS: readonly (readonly [string, string])[] = [
  ['SHA-512-256', 'sha512-256'],
  ['SHA-256', 'sha256'],
  ['MD5', 'md5'],
];

export class HttpLogin {
  readonly #user: string;
  readonly #password: string;
  #challenge: Challenge | undefined;
  #uses = 0;

  constructor(user: string, password: string) {
    this.#user = user;
    this.#password = password;
  }

  /** The value of the Authorization header; undefined as long as the server has not asked. @param target path and query as sent */
  authorization(method: string, target: string): string | undefined {
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === 'basic') {
      return `Basic ${Buffer.from(`${this.#user}:${this.#password}`, 'utf8').toString('base64')}`;
    }
    this.#uses += 1;
    return this.#digest(this.#challenge.parameters, method, target);
  }

  /**
   * After HTTP 401. Returns whether another try makes sense: not if the server refuses what it has asked for.
   * @param header the value of WWW-Authenticate
   * @param sent the refused value of Authorization
   */
  challenged(header: string, sent: string | undefined): boolean {
    const challenge = bestChallenge(header);
    if (challenge === undefined) return false;
    const { nonce, stale } = challenge.parameters;
    const refused = sent !== undefined && (challenge.scheme === 'basic' || stale?.toLowerCase() !== 'true');
    // Another request may have learned a newer nonce meanwhile.
    const outdated =
      sent?.startsWith('Digest ') === true && !sent.includes(`nonce="${escapeQuoted(this.#challenge?.parameters['nonce'] ?? '')}"`);
    if (!outdated && nonce !== this.#challenge?.parameters['nonce']) this.#uses = 0;
    if (!outdated) this.#challenge = challenge;
    return outdated || !refused;
  }

  #digest(parameters: Readonly<Record<string, string>>, method: string, target: string): string {
    const { realm = '', nonce = '', opaque, algorithm = 'MD5', qop, charset } = parameters;
    const session = /-sess$/i.test(algorithm);
    const hash = hashFor(algorithm) ?? 'md5';
    const h = (text: string): string => createHash(hash).update(text, 'utf8').digest('hex');
    const cnonce = randomBytes(16).toString('hex');
    const count = this.#uses.toString(16).padStart(8, '0');
    const plain = h(`${this.#user}:${realm}:${this.#password}`);
    const secret = session ? h(`${plain}:${nonce}:${cnonce}`) : plain;
    const request = h(`${method}:${target}`);
    const protects = qop !== undefined;
    const response = h(protects ? `${secret}:${nonce}:${count}:${cnonce}:auth:${request}` : `${secret}:${nonce}:${request}`);
    return [
      `Digest ${userParameter(this.#user, charset)}`,
      `realm="${escapeQuoted(realm)}"`,
      `nonce="${escapeQuoted(nonce)}"`,
      `uri="${target}"`,
      `algorithm=${algorithm}`,
      `response="${response}"`,
      ...(protects ? ['qop=auth', `nc=${count}`, `cnonce="${cnonce}"`] : session ? [`cnonce="${cnonce}"`] : []),
      ...(opaque === undefined ? [] : [`opaque="${escapeQuoted(opaque)}"`]),
    ].join(', ');
  }
}

function userParameter(user: string, charset: string | undefined): string {
  if (/^[\x20-\x7e]*$/.test(user)) return `username="${escapeQuoted(user)}"`;
  if (charset?.toUpperCase() === 'UTF-8') return `username*=UTF-8''${encodeURIComponent(user).replaceAll(/['()*!]/g, percentEncoded)}`;
  // Bytes of UTF-8, one character each, as headers carry them.
  return `username="${escapeQuoted(Buffer.from(user, 'utf8').toString('latin1'))}"`;
}

function percentEncoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** The strongest that we can answer. */
function bestChallenge(header: string): Challenge | undefined {
  const challenges = parseChallenges(header);
  const digests = challenges.filter(
    ({ scheme, parameters: { qop, algorithm = 'MD5' } }) =>
      scheme === 'digest' && hashFor(algorithm) !== undefined && (qop === undefined || /(^|[\s,])auth($|[\s,])/i.test(qop)),
  );
  const strength = ({ parameters: { algorithm = 'MD5' } }: Challenge): number =>
    ALGORITHMS.findIndex(([name]) => name === algorithm.replace(/-sess$/i, '').toUpperCase());
  return digests.toSorted((a, b) => strength(a) - strength(b))[0] ?? challenges.find(({ scheme }) => scheme === 'basic');
}

/** Challenges are separated by commas, as are their parameters: a word that is followed by another word begins one. */
function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  for (const match of header.matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][\w-]*)(?=\s|,|$)/g)) {
    const [, name, quoted, token, scheme] = match;
    if (scheme !== undefined) challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    else if (name !== undefined) {
      const parameters = challenges.at(-1)?.parameters;
      if (parameters !== undefined) parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? token ?? '';
    }
  }
  return challenges.flatMap(({ scheme, parameters }) => (scheme === 'basic' || scheme === 'digest' ? [{ scheme, parameters }] : []));
}

function hashFor(algorithm: string): string | undefined {
  const name = algorithm.replace(/-sess$/i, '').toUpperCase();
  return ALGORITHMS.find(([known]) => known === name)?.[1];
}

function escapeQuoted(text: string): string {
  return text.replaceAll(/["\\]/g, (char) => `\\${char}`);
}
