import DefaultTheme from 'vitepress/theme';
import Diagrams from './Diagrams.vue';
import './style.css';

export default { extends: DefaultTheme, Layout: Diagrams };
