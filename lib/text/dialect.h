/* dialect.h - which release's reading of a message is wanted. The two differ in places that clients can see
 * (spec/mailbox.md 7): cache records of number 3 and below are written as 2.5 would, all others as 3.6 would. */
#ifndef CAMB_DIALECT_H
#define CAMB_DIALECT_H

enum dialect { DIALECT_25, DIALECT_36 };

#endif
