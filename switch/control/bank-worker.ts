/**
 * A thread that makes one bank and ends: digests of a hundred thousand users take half a second, in which the control
 * thread would serve nobody, and leave garbage that its heap is better without.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Config } from './config/schema.ts';
import { userBank } from './user-bank.ts';

parentPort?.postMessage(userBank(workerData as Config));
