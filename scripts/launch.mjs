// Starts the program in this very process, so that signals reach it: prepare, then run dist/main.js.
import { prepare } from './prepare.mjs';

prepare();
await import('../dist/main.js');
