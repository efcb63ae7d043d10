/* SPDX-License-Identifier: MIT
 *
 * The record format as a C11 program sees it.
 */
#include "watch_queue_numbers.h"

int main(void) { return check_all_numbers() != 0; }
