/**
 * Must be imported before uPlot, which throws if the browser's language is not a valid language tag. On a Linux without a locale,
 * Chromium reports `en-US@posix`.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
