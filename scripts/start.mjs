/** `npm start`: prepares the clone, then hands its arguments to the command `statespace`. */
import { bootstrap } from './bootstrap.mjs';

bootstrap();
await import('../packages/cli/dist/main.js');
