/**
 * A refresh token of Google by the consent of a person in a browser: the flow of installed programs, with the answer brought to a port of this
 * machine (https://developers.google.com/identity/protocols/oauth2/native-app). Google has given up the flow in which a code was shown
 * and copied, and its flow for devices does not grant access to storage. A browser on another machine ends at an address that it cannot open:
 * that address, pasted here, does as well.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CodeChallengeMethod, OAuth2Client } from 'google-auth-library';
import { AuthenticationError } from '../errors.ts';
import { fetchWith } from '../http/fetch-with.ts';
import type { HttpClient } from '../http/http-client.ts';
import { GOOGLE_SCOPES, tokenError } from './access-tokens.ts';
import type { OauthClient } from './oauth-client-file.ts';

export interface ConsentPerson {
  /** Brings a person to the address with a browser. */
  readonly show: (url: string) => void;
  /** An address where the browser ended, as a person pasted it; undefined if none will come. */
  readonly pasted: (complaint: string | undefined) => Promise<string | undefined>;
}

/** @throws AuthenticationError if the person or Google refuses; the signal's reason */
export async function obtainRefreshToken(
  client: OauthClient,
  http: HttpClient,
  person: ConsentPerson,
  signal: AbortSignal,
): Promise<string> {
  const state = randomBytes(16).toString('base64url');
  using listener = await AnswerListener.start(state);
  const { redirectUri } = listener;
  const oauth = new OAuth2Client({
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    redirectUri,
    endpoints: { oauth2AuthBaseUrl: client.consentUrl, oauth2TokenUrl: client.tokenUrl },
    transporterOptions: { fetchImplementation: fetchWith(http), noProxy: [/./], retry: false },
  });
  const { codeVerifier, codeChallenge = '' } = await oauth.generateCodeVerifierAsync();
  person.show(
    oauth.generateAuthUrl({
      access_type: 'offline',
      // Else Google gives a refresh token at the first consent only.
      prompt: 'consent',
      scope: GOOGLE_SCOPES,
      state,
      code_challenge: codeChallenge,
      code_challenge_method: CodeChallengeMethod.S256,
    }),
  );
  const code = await Promise.race([listener.code, pastedCode(person, state), aborted(signal)]);
  try {
    const { tokens } = await oauth.getToken({ code, codeVerifier, redirect_uri: redirectUri });
    if (tokens.refresh_token) return tokens.refresh_token;
  } catch (cause) {
    throw tokenError(cause);
  }
  throw new AuthenticationError(
    'Google gave no refresh token; take this program’s access away at https://myaccount.google.com/connections, then try again',
  );
}

/** What Google says in the query of an address. Undefined if that is no answer, or none to our question. */
function codeIn(query: URLSearchParams, state: string): { readonly code: string } | { readonly error: string } | undefined {
  if (query.get('state') !== state) return undefined;
  const code = query.get('code');
  if (code !== null) return { code };
  const error = query.get('error');
  return error === null ? undefined : { error };
}

function refused(error: string): AuthenticationError {
  return new AuthenticationError(error === 'access_denied' ? 'access was denied in the browser' : `Google refuses: ${error}`);
}

/** Goes on asking until an address is the right one; never resolves if nobody pastes. */
async function pastedCode(person: ConsentPerson, state: string): Promise<string> {
  for (let complaint: string | undefined; ; complaint = 'That is not the address where the browser ended') {
    const text = await person.pasted(complaint);
    if (text === undefined) return new Promise(() => undefined);
    const answer = URL.canParse(text.trim()) ? codeIn(new URL(text.trim()).searchParams, state) : undefined;
    if (answer === undefined) continue;
    if ('error' in answer) throw refused(answer.error);
    return answer.code;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** A port of this machine to which the browser brings Google's answer. */
class AnswerListener implements Disposable {
  readonly redirectUri: string;
  readonly #server: Server;
  readonly #state: string;
  readonly #answer = Promise.withResolvers<string>();

  private constructor(server: Server, state: string) {
    this.#server = server;
    this.#state = state;
    this.redirectUri = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    // Nobody may be waiting any more.
    this.#answer.promise.catch(() => undefined);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#receive(request, response));
  }

  static async start(state: string): Promise<AnswerListener> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new AnswerListener(server, state);
  }

  get code(): Promise<string> {
    return this.#answer.promise;
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const answer = codeIn(new URL(request.url ?? '/', this.redirectUri).searchParams, this.#state);
    const say = (status: number, text: string): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
    };
    if (answer === undefined) say(404, 'This is not an answer to the question that s3ql_oauth_client asked.');
    else if ('error' in answer) {
      say(200, `s3ql_oauth_client got no access: ${answer.error}. You may close this window.`);
      this.#answer.reject(refused(answer.error));
    } else {
      say(200, 's3ql_oauth_client has its answer. You may close this window.');
      this.#answer.resolve(answer.code);
    }
  }

  [Symbol.dispose](): void {
    // The page that was just sent may still be on its way.
    this.#server.close();
    this.#server.closeIdleConnections();
  }
}
