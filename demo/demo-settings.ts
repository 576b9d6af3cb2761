import { readOrigin } from '../src/settings/values.ts';

/** Settings of the demo's processes, besides those of the API. `npm start` sets them. */
export interface DemoSettings {
  /** Origin of the demo bot. Without it the page has no chat panel. */
  botUrl: string | undefined;
  /** IANA name. The page and the bot show and read local times in it. */
  timeZone: string;
}

/** Reads `DEMO_BOT_URL` and `DASHBOARD_TIME_ZONE`. @throws RangeError that names the setting */
export function readDemoSettings(env: NodeJS.ProcessEnv): DemoSettings {
  const botUrl = env.DEMO_BOT_URL ? readBotUrl(env.DEMO_BOT_URL) : undefined;
  const timeZone = env.DASHBOARD_TIME_ZONE || 'UTC';
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw new RangeError('DASHBOARD_TIME_ZONE must be an IANA time zone such as Europe/Berlin', { cause });
  }
  return { botUrl, timeZone };
}

/** The page's Content-Security-Policy contains it. */
function readBotUrl(value: string): string {
  try {
    return readOrigin(value);
  } catch (cause) {
    throw new RangeError('DEMO_BOT_URL must be an origin such as http://127.0.0.1:4000', { cause });
  }
}
