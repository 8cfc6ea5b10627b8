/** The data of the last training, kept for the next one: a study trains on the same windows many times. */
import type { TrainConfig } from '../../config/train-config.js';
import { loadTrainData, type TrainData } from '../train-data.js';

export class DataShelf {
  #key: string | undefined;
  #data: Promise<TrainData> | undefined;

  /** @throws {DataError} as `loadTrainData`. */
  load(config: TrainConfig): Promise<TrainData> {
    const { data, loss, seed } = config;
    // Only what is generated depends on the seed.
    const key = JSON.stringify([data, loss, data.name === 'parity' ? seed : 0]);
    if (key !== this.#key || this.#data === undefined) {
      this.#key = key;
      this.#data = loadTrainData(config);
    }
    return this.#data;
  }
}
