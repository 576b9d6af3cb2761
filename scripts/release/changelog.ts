const UNRELEASED = '## Unreleased';
const RELEASED = /^## (\d+\.\d+\.\d+) - \d{4}-\d{2}-\d{2}$/m;

/** The version of the latest release; undefined before the first one. */
export function latestRelease(changelog: string): string | undefined {
  return RELEASED.exec(changelog)?.[1];
}

/** The text under "Unreleased", or under a version; '' if there is none. */
export function notesOf(changelog: string, heading: string): string {
  const lines = changelog.split('\n');
  const from = lines.findIndex((line) => line === `## ${heading}` || line.startsWith(`## ${heading} - `));
  if (from < 0) return '';
  const to = lines.findIndex((line, index) => index > from && line.startsWith('## '));
  return lines
    .slice(from + 1, to < 0 ? undefined : to)
    .join('\n')
    .trim();
}

/** Makes "Unreleased" the section of this version, below a new, empty one. @param date `2026-11-29` */
export function releaseNotes(changelog: string, version: string, date: string): string {
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n\n## ${version} - ${date}`);
}

/** The versions that may follow: the patch, the minor and the major one. */
export function nextVersions(version: string): string[] {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return [`${major}.${minor}.${patch + 1}`, `${major}.${minor + 1}.0`, `${major + 1}.0.0`];
}
