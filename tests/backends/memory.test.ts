import { MemoryBackend } from '../../src/backends/memory-backend.ts';
import { backendConformance } from './conformance.ts';

backendConformance('memory', async () => new MemoryBackend());
