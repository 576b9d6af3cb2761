import { BASE_PATH } from '../shared/base-path.ts';

/** Global of `swagger-ui-bundle.js`, which the page loads first. Only the options that we use. */
declare const SwaggerUIBundle: (options: {
  dom_id: string;
  url: string;
  /** Badge of an online validator; `null` is off. */
  validatorUrl: null;
  /** Writes the open operation into the URL, so that it can be shared. */
  deepLinking: boolean;
  /** Open levels of the list of schemas; 0 is closed. */
  defaultModelsExpandDepth: number;
}) => unknown;

const darkScheme = matchMedia('(prefers-color-scheme: dark)');
/** The viewer has a dark theme, but does not follow the system. */
const followScheme = (): void => {
  document.documentElement.classList.toggle('dark-mode', darkScheme.matches);
};
followScheme();
darkScheme.addEventListener('change', followScheme);

SwaggerUIBundle({
  dom_id: '#operations',
  url: `${BASE_PATH}/openapi.json`,
  validatorUrl: null,
  deepLinking: true,
  defaultModelsExpandDepth: 0,
});
