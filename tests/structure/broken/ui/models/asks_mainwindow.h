#include "ui/mainwindow/main_window.h"
