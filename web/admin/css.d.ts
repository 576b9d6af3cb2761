/** Stylesheets are bundled with the page. */
declare module '*.css';
