import { createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';

/** Finds the files of a FileDescriptorSet by name and by symbol, comments and options included. */
export class FileDescriptorIndex {
  readonly #files: ReadonlyMap<string, FileDescriptorProto>;
  readonly #registry: FileRegistry;

  constructor(descriptorSet: Buffer) {
    const set = fromBinary(FileDescriptorSetSchema, descriptorSet);
    this.#files = new Map(set.file.map((file) => [file.name, file]));
    this.#registry = createFileRegistry(set);
  }

  /** The encoded file and all that it imports, each once; empty when there is no such file. */
  byFile(name: string): Buffer[] {
    const found = new Map<string, Buffer>();
    const visit = (fileName: string) => {
      const file = this.#files.get(fileName);
      if (!file || found.has(fileName)) return;
      found.set(fileName, Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
      file.dependency.forEach(visit);
    };
    visit(name);
    return [...found.values()];
  }

  /** The file that declares a service, method, message, field or enum, with its imports; empty when none does. */
  bySymbol(symbol: string): Buffer[] {
    const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf('.')));
    const declared = this.#registry.get(symbol) ?? this.#registry.get(parent);
    return declared ? this.byFile(declared.file.proto.name) : [];
  }
}
