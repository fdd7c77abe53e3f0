# SPDX-License-Identifier: GPL-2.0-or-later
#
# Draws the errors of the accuracy part: a panel per limit, a bar per monitor with its median, and a
# whisker to the 95th percentile. Called by summary.py with the
# files `data` and `output`, and the names of the `monitors`.
set terminal svg size 1000,900 font "sans-serif,13" background "white" noenhanced
set output output
set datafile separator tab
set style data histogram
set style histogram errorbars gap 1.5 linewidth 1
set style fill solid 0.85 noborder
set boxwidth 0.9
set grid ytics linecolor rgb "#dddddd"
set border 3
set xtics nomirror
# Near errors matter most, but all have to fit.
set nonlinear y via sqrt(y) inverse y**2
set yrange [0:100]
set ytics nomirror (0, 1, 2, 5, 10, 20, 50, 100)
colour(name) = name eq "damon_stat" ? 0xb2182b : name eq "kdamond" ? 0xef8a62 : \
               name eq "regions" ? 0x92c5de : name eq "pages" ? 0x2166ac : 0x999999
limits = "1 6 60"
set multiplot layout 3,1
do for [panel = 0:2] {
  set title "Memory idle for less than ".word(limits, panel + 1)." s: error in percentage points " \
            ."(bar: median, whisker: 95 % of readings)"
  if (panel == 0) { set key horizontal right top } else { unset key }
  plot for [i = 1:words(monitors)] data index panel using 3*i-1:3*i:3*i+1:xtic(1) \
       linecolor rgb colour(word(monitors, i)) title columnheader(3*i-1)
}
unset multiplot
