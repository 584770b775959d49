import { ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { Known, anyDouble, anyInteger, anyJson, anyStruct, textFor } from './values.js';
import type { Json, KnownName } from './values.js';

/** A message by field names, before what is known is filled in. */
export interface Tree {
  [field: string]: Content | undefined;
}
export type Content = Json | bigint | Uint8Array | Content[] | Tree;

/** Values of what stands for something known. */
export type Filling = Readonly<Record<KnownName, string>>;

const STRUCT = 'google.protobuf.Struct';
const VALUE = 'google.protobuf.Value';
const LIST = 'google.protobuf.ListValue';
const DEEPEST = 8;

/**
 * Any message of a type, made from its descriptor.
 * @param near most fields have a value that suits their name, so that a call gets far inside
 */
export function messageOf(type: DescMessage, near: boolean, depth = 0): Arbitrary<Tree> {
  if (depth > DEEPEST) return fc.constant({});
  const alone = type.fields.filter(({ oneof }) => !oneof);
  const choices = type.oneofs.map(({ fields }) =>
    fc.oneof(...fields.map((field) => fc.record({ [field.name]: contentOf(field, near, depth) }))),
  );
  // Of a plain message nearly all fields are given; of a query, where each may be wrong, some.
  const isPlain = type.fields.filter(({ message }) => message).length <= 3;
  const weight = ({ message }: DescField) => (!near ? 2 : isPlain ? 24 : message ? 1 : 2);
  const given = Object.fromEntries(
    alone.map((field) => [
      field.name,
      fc.oneof(
        { weight: 2, arbitrary: fc.constant(undefined) },
        { weight: weight(field), arbitrary: contentOf(field, near, depth) },
      ),
    ]),
  );
  return fc
    .tuple(fc.record(given), ...choices)
    .map((parts): Tree => Object.assign({}, ...(parts as Tree[])) as Tree);
}

function contentOf(field: DescField, near: boolean, depth: number): Arbitrary<Content> {
  if (field.fieldKind === 'list') return listOf(field, near, depth);
  if (field.fieldKind === 'map') {
    const pairs = fc.array(fc.tuple(textFor('key', false).map(String), itemOf(field, near, depth)), {
      maxLength: 4,
    });
    return pairs.map((given): Tree => Object.fromEntries(given));
  }
  return itemOf(field, near, depth);
}

function listOf(field: DescField, near: boolean, depth: number): Arbitrary<Content[]> {
  const item = itemOf(field, near, depth);
  const many = fc
    .tuple(item, fc.constantFrom(...(field.message ? [21, 51] : [51, 1001])))
    .map(([one, length]) => new Array<Content>(length).fill(one));
  return fc.oneof(
    { weight: near ? 40 : 10, arbitrary: fc.array(item, { maxLength: near ? 2 : 5 }) },
    { weight: 1, arbitrary: many },
  );
}

function itemOf(field: DescField, near: boolean, depth: number): Arbitrary<Content> {
  if (field.message) {
    const { typeName } = field.message;
    if (typeName === STRUCT) return anyStruct(near);
    if (typeName === VALUE) return anyJson(field.name, near);
    if (typeName === LIST) return fc.array(anyJson(field.name, near), { maxLength: 5 });
    return messageOf(field.message, near, depth + 1);
  }
  if (field.enum) {
    const declared = field.enum.values.map(({ number }) => BigInt(number));
    return fc.oneof(
      { weight: near ? 12 : 3, arbitrary: fc.constantFrom(...declared) },
      { weight: 1, arbitrary: anyInteger(32, true, false) },
    );
  }
  return scalarOf(field, near);
}

function scalarOf(field: DescField, near: boolean): Arbitrary<Content> {
  switch (field.scalar) {
    case ScalarType.STRING:
      return textFor(field.name, near);
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 60 });
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return anyDouble;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return anyInteger(64, true, near);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return anyInteger(64, false, near);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return anyInteger(32, false, near);
    default:
      return anyInteger(32, true, near);
  }
}

/** The bytes of a message, written by hand so that they can hold what no library would write. */
export function bytesOf(type: DescMessage, tree: Tree, filling: Filling): Buffer {
  const writer = new BinaryWriter();
  writeMessage(writer, type, tree, filling);
  return Buffer.from(writer.finish());
}

function writeMessage(writer: BinaryWriter, type: DescMessage, tree: Tree, filling: Filling): void {
  for (const field of type.fields) {
    const content = tree[field.name];
    if (content === undefined) continue;
    if (field.fieldKind === 'list')
      for (const item of content as Content[]) writeItem(writer, field, item, filling);
    else if (field.fieldKind === 'map') writeMap(writer, field, content as Tree, filling);
    else writeItem(writer, field, content, filling);
  }
}

function writeMap(writer: BinaryWriter, field: DescField, content: Tree, filling: Filling): void {
  for (const [key, value] of Object.entries(content) as [string, Content][]) {
    writer.tag(field.number, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writeItem(writer, field, value, filling, 2);
    writer.join();
  }
}

function writeItem(
  writer: BinaryWriter,
  field: DescField,
  content: Content,
  filling: Filling,
  number = field.number,
): void {
  if (field.message) {
    writer.tag(number, WireType.LengthDelimited).fork();
    const { typeName } = field.message;
    if (typeName === STRUCT) writeStruct(writer, content as { [key: string]: Json }, filling);
    else if (typeName === VALUE) writeValue(writer, content as Json, filling);
    else if (typeName === LIST) writeList(writer, content as Json[], filling);
    else writeMessage(writer, field.message, content as Tree, filling);
    writer.join();
  } else if (content instanceof Known || typeof content === 'string') {
    writer.tag(number, WireType.LengthDelimited).string(filled(content, filling));
  } else if (content instanceof Uint8Array) {
    writer.tag(number, WireType.LengthDelimited).bytes(content);
  } else if (typeof content === 'boolean') {
    writer.tag(number, WireType.Varint).bool(content);
  } else if (typeof content === 'number') {
    if (field.scalar === ScalarType.FLOAT) writer.tag(number, WireType.Bit32).raw(floatBytes(content));
    else writer.tag(number, WireType.Bit64).double(content);
  } else {
    writeInteger(writer, field.scalar, content as bigint, number);
  }
}

/** A float of any size: too large ones become infinite. */
function floatBytes(value: number): Uint8Array {
  return new Uint8Array(new Float32Array([value]).buffer);
}

function writeInteger(
  writer: BinaryWriter,
  scalar: ScalarType | undefined,
  value: bigint,
  number: number,
): void {
  const small = () => Number(value);
  const varint = () => writer.tag(number, WireType.Varint);
  switch (scalar) {
    case ScalarType.FIXED64:
      return void writer.tag(number, WireType.Bit64).fixed64(value);
    case ScalarType.SFIXED64:
      return void writer.tag(number, WireType.Bit64).sfixed64(value);
    case ScalarType.FIXED32:
      return void writer.tag(number, WireType.Bit32).fixed32(small());
    case ScalarType.SFIXED32:
      return void writer.tag(number, WireType.Bit32).sfixed32(small());
    case ScalarType.UINT64:
      return void varint().uint64(value);
    case ScalarType.INT64:
      return void varint().int64(value);
    case ScalarType.SINT64:
      return void varint().sint64(value);
    case ScalarType.SINT32:
      return void varint().sint32(small());
    case ScalarType.UINT32:
      return void varint().uint32(small());
    default:
      return void varint().int32(small());
  }
}

function writeStruct(writer: BinaryWriter, object: { [key: string]: Json }, filling: Filling): void {
  for (const [key, value] of Object.entries(object)) {
    writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).string(key);
    writer.tag(2, WireType.LengthDelimited).fork();
    writeValue(writer, value, filling);
    writer.join().join();
  }
}

function writeList(writer: BinaryWriter, list: readonly Json[], filling: Filling): void {
  for (const value of list) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writeValue(writer, value, filling);
    writer.join();
  }
}

function writeValue(writer: BinaryWriter, value: Json, filling: Filling): void {
  if (value === null) writer.tag(1, WireType.Varint).int32(0);
  else if (typeof value === 'number') writer.tag(2, WireType.Bit64).double(value);
  else if (typeof value === 'string' || value instanceof Known)
    writer.tag(3, WireType.LengthDelimited).string(filled(value, filling));
  else if (typeof value === 'boolean') writer.tag(4, WireType.Varint).bool(value);
  else {
    writer.tag(Array.isArray(value) ? 6 : 5, WireType.LengthDelimited).fork();
    if (Array.isArray(value)) writeList(writer, value, filling);
    else writeStruct(writer, value, filling);
    writer.join();
  }
}

/** A text as it is sent. */
export function filled(text: string | Known, filling: Filling): string {
  return text instanceof Known ? filling[text.name] : text;
}

/** The same message as JSON of a REST caller: what is known filled in, numbers of 64 bits as texts, bytes as base64. */
export function jsonOf(content: Content, filling: Filling): unknown {
  if (content instanceof Known) return filling[content.name];
  if (typeof content === 'bigint')
    return Number.isSafeInteger(Number(content)) ? Number(content) : String(content);
  if (content instanceof Uint8Array) return Buffer.from(content).toString('base64');
  if (Array.isArray(content)) return content.map((item) => jsonOf(item, filling));
  if (typeof content === 'object' && content !== null)
    return Object.fromEntries(
      Object.entries(content).map(([key, item]) => [key, jsonOf(item as Content, filling)]),
    );
  return content;
}

/** A message for people who look for what went wrong; long texts and lists are cut. */
export function shown(content: unknown): string {
  const text = JSON.stringify(content, (_key, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
    if (typeof value === 'string' && value.length > 200) return `${value.slice(0, 20)}… (${value.length})`;
    if (Array.isArray(value) && value.length > 20) return [...value.slice(0, 2), `… (${value.length})`];
    return value;
  });
  return text.length > 3000 ? `${text.slice(0, 3000)}…` : text;
}
