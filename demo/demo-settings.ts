/** Settings of the demo's processes, besides those of the API. `npm start` sets them. */
export interface DemoSettings {
  /** Address of the demo bot. Without it the page has no chat panel. */
  botUrl: string | undefined;
  /** IANA name. The page and the bot show and read local times in it. */
  timeZone: string;
}

/** Reads `DEMO_BOT_URL` and `DASHBOARD_TIME_ZONE`. @throws RangeError that names the setting */
export function readDemoSettings(env: NodeJS.ProcessEnv): DemoSettings {
  const botUrl = env.DEMO_BOT_URL || undefined;
  const timeZone = env.DASHBOARD_TIME_ZONE || 'UTC';
  if (botUrl !== undefined && !URL.canParse(botUrl)) throw new RangeError('DEMO_BOT_URL must be a URL');
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw new RangeError('DASHBOARD_TIME_ZONE must be an IANA time zone such as Europe/Berlin', { cause });
  }
  return { botUrl, timeZone };
}
