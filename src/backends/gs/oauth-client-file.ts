/** The OAuth client a refresh token belongs to: the JSON file that the Google console offers for a client of kind "desktop app". */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../util/errors.ts';

export interface OauthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where tokens come from; Google's own if the file does not say. */
  readonly tokenUrl: string;
  /** Where a browser asks for consent. */
  readonly consentUrl: string;
}

interface ClientFile {
  readonly client_id?: string;
  readonly client_secret?: string;
  readonly token_uri?: string;
  readonly auth_uri?: string;
}

/** Used if the backend option oauth-client does not name another. */
export function defaultOauthClientPath(): string {
  return join(homedir(), '.s3ql', 'google-oauth-client.json');
}

/** @throws UserError with exit code 2 */
export function readOauthClient(path: string = defaultOauthClientPath()): OauthClient {
  const advice =
    'make an OAuth client of kind "desktop app" in the Google console, save its JSON file, and name it with the backend option oauth-client=FILE';
  let content: { readonly installed?: ClientFile; readonly web?: ClientFile } & ClientFile;
  try {
    content = JSON.parse(readFileSync(path, 'utf8')) as typeof content;
  } catch (cause) {
    throw new UserError(`Cannot read the OAuth client ${path}: ${cause instanceof Error ? cause.message : String(cause)}; ${advice}.`, 2, {
      cause,
    });
  }
  const client = content.installed ?? content.web ?? content;
  if (client.client_id === undefined || client.client_secret === undefined)
    throw new UserError(`There is no OAuth client in ${path}; ${advice}.`, 2);
  return {
    clientId: client.client_id,
    clientSecret: client.client_secret,
    tokenUrl: client.token_uri ?? 'https://oauth2.googleapis.com/token',
    consentUrl: client.auth_uri ?? 'https://accounts.google.com/o/oauth2/v2/auth',
  };
}
