import { BASE_PATH } from './base-path.ts';
import { byId, setText } from './elements.ts';
import { createKept } from './kept.ts';

/** Who looks at which company's calendar. */
export interface Session {
  /** For the library: asked again whenever the last token is no use any more. */
  getToken: () => Promise<string>;
  /** Only in demo mode, where the server signs tokens itself. */
  demo: DemoToken | undefined;
}

interface DemoToken {
  token: string;
  companyId: string;
  companyName: string;
  timeZone: string;
}

const KEPT_AS = 'dashboard-token';
const AGAIN_MS = 2_000;

/** Asks the server for a demo token; where there is none, the person for an access token. */
export async function openSession(): Promise<Session> {
  for (;;) {
    const demo = await askForDemo().catch(() => 'unreachable' as const);
    if (demo === 'unreachable') {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      continue;
    }
    return demo === undefined
      ? { getToken: createSignIn(), demo }
      : { getToken: createDemoTokens(demo), demo };
  }
}

/** Undefined where the server is not a demo. @throws where it does not answer sensibly */
async function askForDemo(): Promise<DemoToken | undefined> {
  const reply = await fetch(`${BASE_PATH}/demo/token`, { method: 'POST' });
  if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) return undefined;
  if (!reply.ok) throw new Error(`POST /demo/token: ${reply.status}`);
  return (await reply.json()) as DemoToken;
}

function createDemoTokens(first: DemoToken): () => Promise<string> {
  let unused: DemoToken | undefined = first;
  return async () => {
    const { token } = unused ?? (await askForDemo()) ?? first;
    unused = undefined;
    return token;
  };
}

/** The form, with a token kept for this tab. A second request means that the first token is of no use any more. */
function createSignIn(): () => Promise<string> {
  const form = byId('sign-in', HTMLFormElement);
  const field = byId('token', HTMLInputElement);
  const why = byId('sign-in-why', HTMLParagraphElement);
  const kept = createKept(() => sessionStorage, KEPT_AS);
  let unused = kept.get();

  const ask = () =>
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
          kept.set(token);
          setText(why, 'The last token was refused or is about to expire. Paste another one.');
          resolve(token);
        },
        { once: true },
      );
    });

  return async () => {
    const token = unused ?? (await ask());
    unused = undefined;
    return token;
  };
}
