// SPDX-License-Identifier: MIT
// The record format as a C++20 program sees it.
#include "watch_queue_numbers.h"

int main() { return check_all_numbers() != 0 ? 1 : 0; }
