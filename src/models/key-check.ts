import mongoose from 'mongoose';
import { UnsealError } from '../cipher.js';
import type { Cipher } from '../cipher.js';
import type { Mongo, Records } from '../connectors/mongo.js';
import { DatabaseRefused, isDuplicateKey, options, records } from '../connectors/mongo.js';

/** A known text, sealed with the key that everything else in the database is sealed with. */
interface KeyCheckText {
  _id: string;
  sealed: string;
}

const schema = new mongoose.Schema<KeyCheckText>(
  {
    _id: { type: String, required: true },
    sealed: { type: String, required: true },
  },
  { versionKey: false },
);

const ID = 'SERVICE_KEY';
const CONTEXT = 'key-check';
const TEXT = 'sealed with the SERVICE_KEY of this database';
const DATABASE_MS = 5000;

/**
 * Tells whether this instance has the key of the database. One that has another key would give up the mails of all
 * others, which it cannot read, and leave secrets behind that they cannot.
 */
export class KeyCheck {
  readonly #records: Records<KeyCheckText>;

  constructor(
    mongo: Mongo,
    private readonly cipher: Cipher,
  ) {
    this.#records = records(mongo.model('key_check', schema));
  }

  /**
   * Opens what the first instance has sealed; in an empty database this is the first one.
   * @throws DatabaseRefused when it was sealed with another key.
   */
  async assertSame(): Promise<void> {
    const sealed = (await this.#find()) ?? (await this.#sealFirst());
    try {
      if (this.cipher.open(sealed, CONTEXT) === TEXT) return;
    } catch (error) {
      if (!(error instanceof UnsealError)) throw error;
    }
    throw new DatabaseRefused(
      'The data of this database are sealed with another SERVICE_KEY: set SERVICE_KEY to the one that the database was begun with, or MONGODB_URI to another database.',
    );
  }

  async #find(): Promise<string | undefined> {
    const found = await this.#records.findOne({ _id: ID }, this.#options());
    return found?.sealed;
  }

  async #sealFirst(): Promise<string> {
    const sealed = this.cipher.seal(TEXT, CONTEXT);
    try {
      await this.#records.insertOne({ _id: ID, sealed }, this.#options());
      return sealed;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    // Another instance was quicker.
    return (await this.#find()) ?? '';
  }

  #options() {
    return options({ deadline: Date.now() + DATABASE_MS });
  }
}
