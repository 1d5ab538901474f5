/** sockets.mjs: kinds of arguments: addresses, options and messages of sockets. What a kind is, says kind.mjs. */
import { message, messages } from './kind.mjs';

/** @type {Record<string, import('./kind.mjs').Kind>} */
export const sockets = {
  sockaddrIn: {
    native: ['ARG_IN', 'ARG_LENGTH'],
    format: ['sockaddr', 'int'],
    type: 'SockAddr',
    before: (name) => [`const sockaddr = encodeSockaddr('${name}', ${name});`],
    values: () => ['sockaddr', 'sockaddr.length'],
  },
  sockaddrInOptional: {
    native: ['ARG_IN_NULLABLE', 'ARG_LENGTH'],
    format: ['sockaddr', 'int'],
    type: 'SockAddr | undefined',
    before: (name) => [`const sockaddr = ${name} === undefined ? null : encodeSockaddr('${name}', ${name});`],
    values: () => ['sockaddr', 'sockaddr === null ? 0 : sockaddr.length'],
  },
  sockaddrOut: {
    native: ['ARG_OUT_NULLABLE', 'ARG_LENGTH_POINTER'],
    format: ['sockaddr', 'intPointer'],
    before: () => ['const sockaddr = Buffer.alloc(SOCKADDR_SIZE);', 'const socklen = sockaddrLength();'],
    values: () => ['sockaddr', 'socklen'],
  },
  optionIn: {
    native: ['ARG_IN', 'ARG_LENGTH'],
    format: ['dataIn', 'int'],
    type: 'NodeJS.ArrayBufferView | number',
    before: (name) => [`const option = encodeOption(${name});`],
    values: () => ['option', 'byteLength(option)'],
  },

  optionOut: {
    native: ['ARG_OUT', 'ARG_LENGTH_POINTER'],
    format: ['optionOut', 'intPointer'],
    type: 'number',
    before: (name) => [
      `const bytes = allocateBytes('${name}', ${name});`,
      `const length = encodeInt(${name});`,
    ],
    values: () => ['bytes', 'length'],
  },
  messageIn: message('ARG_MESSAGE_IN', 'OutgoingMessage', 'encodeMessage'),
  messageOut: message('ARG_MESSAGE_OUT', 'IncomingMessage', 'allocateMessage'),
  messagesIn: messages('ARG_MESSAGES_IN', 'OutgoingMessage', 'encodeMessage'),
  messagesOut: messages('ARG_MESSAGES_OUT', 'IncomingMessage', 'allocateMessage'),
};
