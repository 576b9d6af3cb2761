import { BASE_PATH } from '../shared/base-path.ts';
import { byId, setText } from '../shared/elements.ts';
import { createStoredText } from './stored-text.ts';

/** The signed-in user's access to a company's calendar. */
export interface Session {
  /** Passed to the dashboard library, which calls it again if the last token has expired or was refused. */
  getToken: () => Promise<string>;
  /** Set in demo mode, in which the server signs tokens. */
  demo: DemoToken | undefined;
}

interface DemoToken {
  token: string;
  companyId: string;
  companyName: string;
  timeZone: string;
}

const STORAGE_KEY = 'dashboard-token';
const RETRY_MS = 2_000;

/**
 * Requests a demo token from the server. If the server is not a demo, the user must enter an access token.
 * @param onUnreachable called after each failed request; another follows
 */
export async function openSession(onUnreachable: () => void): Promise<Session> {
  for (;;) {
    const demo = await requestDemoToken().catch(() => 'unreachable' as const);
    if (demo === 'unreachable') {
      onUnreachable();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    return demo === undefined
      ? { getToken: createSignIn(), demo }
      : { getToken: createDemoTokens(demo), demo };
  }
}

/** Returns undefined if the server is not a demo. @throws if the server is unreachable or fails */
async function requestDemoToken(): Promise<DemoToken | undefined> {
  const reply = await fetch(`${BASE_PATH}/demo/token`, { method: 'POST' });
  if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) return undefined;
  if (!reply.ok) throw new Error(`POST /demo/token: ${reply.status}`);
  return (await reply.json()) as DemoToken;
}

function createDemoTokens(first: DemoToken): () => Promise<string> {
  let unused: DemoToken | undefined = first;
  return async () => {
    const { token } = unused ?? (await requestDemoToken()) ?? first;
    unused = undefined;
    return token;
  };
}

/** The sign-in form. The token is stored for this tab. A second call means that the stored token has expired or was refused. */
function createSignIn(): () => Promise<string> {
  const form = byId('sign-in', HTMLFormElement);
  const field = byId('token', HTMLInputElement);
  const why = byId('sign-in-why', HTMLParagraphElement);
  const stored = createStoredText(() => sessionStorage, STORAGE_KEY);
  let unused = stored.get();

  const askUser = () =>
    new Promise<string>((resolve) => {
      form.hidden = false;
      field.focus();
      form.addEventListener(
        'submit',
        (submit) => {
          submit.preventDefault();
          form.hidden = true;
          const token = field.value.trim();
          field.value = '';
          stored.set(token);
          setText(why, 'The last access token has expired or was refused. Enter a new one.');
          resolve(token);
        },
        { once: true },
      );
    });

  let asking: Promise<string> | undefined;
  return async () => {
    if (unused === undefined) {
      // The library calls again while the user has not signed in yet.
      asking ??= askUser().finally(() => (asking = undefined));
      return asking;
    }
    const token = unused;
    unused = undefined;
    return token;
  };
}
