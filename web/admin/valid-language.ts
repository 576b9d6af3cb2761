/**
 * Imported before the charts: uPlot formats numbers in the browser's language, and stops the page where that is not one.
 * Chromium's is `en-US@posix` on a Linux without a locale.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
